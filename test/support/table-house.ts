import { setImmediate } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { openDatabase, type Database } from '../../lib/adapters/dynamo/client.ts';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { dueMinute } from '../../lib/adapters/dynamo/keys.ts';
import { table } from '../../lib/adapters/dynamo/table.ts';
import type { DueWork } from '../../lib/core/due-ports.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import type { StoredInbox } from '../../lib/core/ports.ts';
import type { Caller } from '../../lib/local/cloud.ts';
import { DynamoDb } from '../../lib/local/dynamodb/dynamodb.ts';
import type { StreamRecord } from '../../lib/local/dynamodb/dynamodb.ts';
import { calm, type Weather } from '../../lib/local/weather.ts';
import { inboxRef, organizationId } from './mail-samples.ts';
import {
  clientSettings,
  deploy,
  endHouse,
  serve,
  stubCloud,
  testRole,
  type StubCloud,
} from './service-endpoint.ts';

const key = (name: string, type: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType: type });
const indexes = [table.byPod, table.byOrganization];

/** The table as CDK builds it from the one definition. */
const properties = {
  TableName: 'mailroom',
  AttributeDefinitions: [
    table.partitionKey,
    table.sortKey,
    ...indexes.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey]),
  ].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [key(table.partitionKey, 'HASH'), key(table.sortKey, 'RANGE')],
  GlobalSecondaryIndexes: indexes.map(({ name, partitionKey, sortKey }) => ({
    IndexName: name,
    KeySchema: [key(partitionKey, 'HASH'), key(sortKey, 'RANGE')],
    Projection: { ProjectionType: 'KEYS_ONLY' },
  })),
  BillingMode: 'PAY_PER_REQUEST',
  TimeToLiveSpecification: { AttributeName: table.ttl, Enabled: true },
  StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  Replicas: [{ Region: 'us-east-1' }],
};

/** What was asked of DynamoDB, by the name of the call. */
export interface Sent {
  name: string;
  input: any;
}

export interface TableHouse {
  cloud: StubCloud;
  engine: DynamoDb;
  database: Database;
  url: string;
  /** Every call since the last `forget`, as the SDK sent it. */
  sent: Sent[];
  forget(): void;
  /** Names of the calls since then as the engine counted them, with their request units. */
  counted(): { action: string; readUnits?: number; writeUnits?: number }[];
  now: () => number;
  stream(): StreamRecord[];
  rows(): Promise<Record<string, any>[]>;
  /** Work that is filed for a minute. */
  dueAt(time: number): Promise<DueWork[]>;
  /** Puts rows past the SDK, for a large table in little time. */
  fill(rows: Record<string, unknown>[]): Promise<void>;
  close(): Promise<void>;
}

/** The table on the local cloud's engine, behind HTTP and the real SDK. */
export async function tableHouse({ weather = calm }: { weather?: Weather } = {}): Promise<TableHouse> {
  const cloud = await stubCloud({ weather });
  const engine = new DynamoDb(cloud);
  const { attributes } = await deploy(engine, 'AWS::DynamoDB::GlobalTable', properties);
  const { url, close } = await serve(engine);
  const client = new DynamoDBClient({ ...clientSettings(url), maxAttempts: weather === calm ? 1 : 12 });
  const database = openDatabase('mailroom', client);
  const sent: Sent[] = [];
  database.client.middlewareStack.add(
    (next, context) => (args) => {
      sent.push({ name: String(context['commandName']).replace(/(Items)?Command$/, ''), input: args.input });
      return next(args);
    },
    { step: 'initialize', priority: 'high' },
  );
  const caller: Caller = testRole;
  const scan = (start?: unknown): { Items: any[]; LastEvaluatedKey?: unknown } => {
    for (;;) {
      try {
        return engine.call(
          'DynamoDB_20120810.Scan',
          { TableName: 'mailroom', ...(start !== undefined && { ExclusiveStartKey: start }) },
          caller,
        ) as never;
      } catch (error) {
        // A look at the table is not part of the weather.
        if (weather === calm) throw error;
      }
    }
  };
  const rows = async (): Promise<Record<string, any>[]> => {
    const { unmarshall } = await import('@aws-sdk/util-dynamodb');
    const items: any[] = [];
    let page = scan();
    for (;;) {
      items.push(...page.Items);
      if (page.LastEvaluatedKey === undefined) return items.map((item) => unmarshall(item));
      page = scan(page.LastEvaluatedKey);
    }
  };
  return {
    ...{ cloud, engine, database, url, sent },
    forget() {
      sent.length = 0;
      cloud.calls.length = 0;
    },
    counted: () =>
      cloud.calls.map(({ action, readUnits, writeUnits }) => ({
        action,
        ...(readUnits !== undefined && { readUnits }),
        ...(writeUnits !== undefined && { writeUnits }),
      })),
    now: () => cloud.clock.now(),
    stream: () => engine.readStream(caller, String(attributes!['StreamArn']), 'TRIM_HORIZON', 10_000),
    rows,
    async dueAt(time) {
      const due = (await rows()).filter(({ pk }) => String(pk).startsWith('DUE#'));
      return due
        .filter(({ sk }) => String(sk).startsWith(`${dueMinute(time)}#`))
        .map(({ work }) => work as DueWork);
    },
    async fill(rows) {
      for (let at = 0; at < rows.length; at += 25) {
        const requests = rows.slice(at, at + 25).map((row) => ({
          PutRequest: {
            Item: Object.fromEntries(
              Object.entries(row).map(([name, value]) => [
                name,
                typeof value === 'number' ? { N: String(value) } : { S: String(value) },
              ]),
            ),
          },
        }));
        let left: object | undefined = { mailroom: requests };
        while (left !== undefined && Object.keys(left).length > 0) {
          ({ UnprocessedItems: left } = engine.call(
            'DynamoDB_20120810.BatchWriteItem',
            { RequestItems: left },
            caller,
          ) as { UnprocessedItems?: object });
        }
        // Open connections have to be served meanwhile.
        if (at % 2500 === 0) await setImmediate();
      }
    },
    close: () => endHouse({ client, close, engine, cloud }),
  };
}

export const storedInbox = (name = 'ada', more: Partial<StoredInbox> = {}): StoredInbox => ({
  ...inboxRef(name),
  email: inboxRef(name).inbox_id,
  stored_bytes: 0,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  ...more,
});

/** An organization with the given inboxes in it. */
export async function settle(
  { database }: TableHouse,
  organization_id = organizationId,
  ...inboxes: InboxRef[]
): Promise<void> {
  const times = { created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' };
  await organizationStore(database).create({
    organization_id,
    verified: true,
    state: 'active',
    access: 'sandbox',
    bearer_keys: false,
    inbox_count: 0,
    domain_count: 0,
    ...times,
  });
  for (const inbox of inboxes)
    await inboxStore(database).provision({ inbox: { ...storedInbox(), ...inbox, email: inbox.inbox_id } });
}
