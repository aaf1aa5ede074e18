import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { Clock } from '../../../lib/local/clock.ts';
import type { Access, Call, Caller, Cloud, Deployed } from '../../../lib/local/cloud.ts';
import { DynamoDb } from '../../../lib/local/dynamodb/dynamodb.ts';
import type { Weather } from '../../../lib/local/weather.ts';
import { calm } from '../../../lib/local/weather.ts';

export const operator: Caller = {
  kind: 'operator',
  arn: 'arn:aws:iam::000000000000:user/operator',
  accessKeyId: 'AKIA',
};

export interface World {
  dynamodb: DynamoDb;
  clock: Clock;
  home: string;
  calls: Call[];
  asked: Access[];
  deploy(properties: object, type?: string): Promise<Deployed>;
  call(action: string, input: object, caller?: Caller): any;
  /** Closes the engine and opens it again on the same home. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Wish {
  home?: string;
  weather?: Weather;
  authorize?: (access: Access) => void;
  durable?: boolean;
}

/** The engine alone, with a cloud around it that allows everything unless told otherwise. */
export function world({ home = mkdtempSync(join(tmpdir(), 'dynamodb-')), ...wish }: Wish = {}): World {
  const calls: Call[] = [];
  const asked: Access[] = [];
  const clock = new Clock();
  const cloud: Cloud = {
    account: '000000000000',
    region: 'us-east-1',
    home,
    durable: wish.durable ?? false,
    clock,
    weather: wish.weather ?? calm,
    authorize: (access) => {
      asked.push(access);
      wish.authorize?.(access);
    },
    record: (call) => void calls.push(call),
    print: () => undefined,
  };
  const it: World = {
    dynamodb: new DynamoDb(cloud),
    clock,
    home,
    calls,
    asked,
    deploy: async (properties, type = 'AWS::DynamoDB::GlobalTable') => {
      const resource = it.dynamodb.resources.find((known) => known.type === type)!;
      const parsed = resource.properties.parse(properties);
      return resource.deploy({ logicalId: 'Table', physicalName: 'table', properties: parsed, metadata: {} });
    },
    call: (action, input, caller = operator) =>
      it.dynamodb.call(
        `${/Stream|Shard|Records/.test(action) ? 'DynamoDBStreams' : 'DynamoDB'}_20120810.${action}`,
        input,
        caller,
      ),
    restart: async () => {
      await it.dynamodb.stop();
      it.dynamodb = new DynamoDb(cloud);
    },
    stop: async () => {
      await it.dynamodb.stop();
      clock.stop();
    },
  };
  return it;
}

/** Properties of a table `pk`/`sk` (strings) with a stream, a TTL and the given indexes. */
export function properties(indexes: object[] = [], more: object = {}) {
  const named = indexes.flatMap((index) => (index as { KeySchema: { AttributeName: string }[] }).KeySchema);
  const attributes = new Set(['pk', 'sk', ...named.map(({ AttributeName }) => AttributeName)]);
  return {
    AttributeDefinitions: [...attributes].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    Replicas: [{ Region: 'us-east-1' }],
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
    ...more,
  };
}

export function index(
  name: string,
  hash: string,
  range?: string,
  projection: object = { ProjectionType: 'ALL' },
) {
  return {
    IndexName: name,
    KeySchema: [
      { AttributeName: hash, KeyType: 'HASH' },
      ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' }]),
    ],
    Projection: projection,
  };
}

/** The engine behind HTTP, as the SDK's clients reach it. */
export async function served({ dynamodb }: World) {
  const server = createServer((request, response) => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const { method = '', url = '' } = request;
    void dynamodb
      .handle({ method, path: url, query: new URLSearchParams(), headers, body: request, caller: operator })
      .then((answer) => {
        response.writeHead(answer.status, answer.headers);
        if (answer.body instanceof Readable) answer.body.pipe(response);
        else response.end(answer.body);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const settings = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
    maxAttempts: 1,
  };
  const client = new DynamoDBClient(settings);
  const streams = new DynamoDBStreamsClient(settings);
  const close = async () => {
    client.destroy();
    streams.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { client, streams, settings, close };
}

/** Short for attribute values. */
export const S = (text: string) => ({ S: text });
export const N = (number: number | string) => ({ N: String(number) });
