import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PolicyStatement } from '../../../lib/local/cloud.ts';
import { deploy } from '../../support/service-endpoint.ts';
import { index, properties } from '../dynamodb/world.ts';
import {
  assume,
  operator,
  roleArn,
  stsHouse,
  tenantTrust,
  type Credentials,
  type StsHouse,
} from './sts-house.ts';

let house: StsHouse;
beforeEach(async () => {
  house = await stsHouse();
  const indexed = { TableName: 'mail', ...properties([index('byPod', 'pod', 'sk')]) };
  await deploy(house.dynamoDb, 'AWS::DynamoDB::GlobalTable', indexed);
  await deploy(house.s3, 'AWS::S3::Bucket', { BucketName: 'bucket' });
  for (const organization of ['org_a', 'org_b']) {
    const key = { pk: { S: `O#${organization}` }, sk: { S: '1' }, pod: { S: `O#${organization}#P` } };
    house.dynamoDb.call('DynamoDB_20120810.PutItem', { TableName: 'mail', Item: key }, operator);
    const put = {
      bucket: 'bucket',
      key: `${organization}/raw`,
      bytes: Buffer.from(organization),
      caller: operator,
    };
    await house.s3.putObject(put);
  }
});

const TableName = 'mail';
const key = (pk: string, sk = '1') => ({ pk: { S: pk }, sk: { S: sk } });
const values = (pk: string) => ({ ExpressionAttributeValues: { ':v': { S: pk } } });

type Send = (table: DynamoDBClient, foreign: string) => Promise<unknown>;
/** Each with one key inside the fence of org_a where it takes several, and one that the test gives. */
const calls: [name: string, send: Send][] = [
  ['GetItem', (table, pk) => table.send(new GetItemCommand({ TableName, Key: key(pk) }))],
  [
    'BatchGetItem',
    (table, pk) =>
      table.send(
        new BatchGetItemCommand({ RequestItems: { mail: { Keys: [key('O#org_a'), key(pk, '2')] } } }),
      ),
  ],
  ['PutItem', (table, pk) => table.send(new PutItemCommand({ TableName, Item: key(pk) }))],
  ['UpdateItem', (table, pk) => table.send(new UpdateItemCommand({ TableName, Key: key(pk) }))],
  ['DeleteItem', (table, pk) => table.send(new DeleteItemCommand({ TableName, Key: key(pk) }))],
  [
    'BatchWriteItem',
    (table, pk) => {
      const puts = [key('O#org_a'), key(pk, '2')].map((Item) => ({ PutRequest: { Item } }));
      return table.send(new BatchWriteItemCommand({ RequestItems: { mail: puts } }));
    },
  ],
  [
    'Query',
    (table, pk) =>
      table.send(new QueryCommand({ TableName, KeyConditionExpression: 'pk = :v', ...values(pk) })),
  ],
  [
    'Query of an index',
    (table, pk) => {
      const KeyConditionExpression = 'pod = :v';
      return table.send(
        new QueryCommand({ TableName, IndexName: 'byPod', KeyConditionExpression, ...values(pk) }),
      );
    },
  ],
  [
    'TransactGetItems',
    (table, pk) => {
      const gets = [key('O#org_a'), key(pk, '2')].map((Key) => ({ Get: { TableName, Key } }));
      return table.send(new TransactGetItemsCommand({ TransactItems: gets }));
    },
  ],
  ...(['Put', 'Update', 'Delete', 'ConditionCheck'] as const).map((kind): [string, Send] => [
    `${kind} of TransactWriteItems`,
    (table, pk) => {
      const item = {
        Put: { Item: key(pk) },
        Update: { Key: key(pk), UpdateExpression: 'SET n = :v', ...values('x') },
        Delete: { Key: key(pk) },
        ConditionCheck: { Key: key(pk), ConditionExpression: 'attribute_not_exists(nothing)' },
      }[kind];
      const own = { Put: { TableName, Item: key('O#org_a', '2') } };
      const TransactItems = [own, { [kind]: { TableName, ...item } }];
      return table.send(new TransactWriteItemsCommand({ TransactItems }));
    },
  ]),
];

const denied = { name: 'AccessDeniedException' };
const tableOf = (credentials: Credentials) => house.client(DynamoDBClient, credentials);
const itemOf = (pk: string, sk: string) =>
  house.dynamoDb.call('DynamoDB_20120810.GetItem', { TableName, Key: key(pk, sk) }, operator);

describe("a session for an organization, at its tenant's table", () => {
  beforeEach(() => house.tenant());

  it.each(calls)('%s reaches what is its own and nothing of another', async (_name, send) => {
    const table = tableOf(await assume(house.sts(), 'org_a'));
    for (const pk of ['O#org_a', 'O#org_a#I#1', 'KEY#x']) await send(table, pk);
    for (const pk of ['O#org_b', 'O#org_b#I#1', 'O#org_aa', 'DUE#1', 'O#org_']) {
      await expect(send(table, pk), pk).rejects.toMatchObject(denied);
    }
  });

  it('changes nothing when one of its keys is foreign', async () => {
    const table = tableOf(await assume(house.sts(), 'org_a'));
    const sends = calls.filter(([name]) => /BatchWrite|TransactWrite/.test(name));
    for (const [, send] of sends) await expect(send(table, 'O#org_b')).rejects.toMatchObject(denied);
    expect(itemOf('O#org_a', '2')).toEqual({});
    expect(itemOf('O#org_b', '2')).toEqual({});
    expect(itemOf('O#org_b', '1')).toMatchObject({ Item: { pod: { S: 'O#org_b#P' } } });
  });

  it('names session and role when it refuses, and counts for the function', async () => {
    const table = tableOf(await assume(house.sts(), 'org_a'));
    const get = table.send(new GetItemCommand({ TableName, Key: key('O#org_b') }));
    await expect(get).rejects.toThrow(
      /assumed-role\/tenant\/org_a is not authorized to perform: dynamodb:GetItem/,
    );
    expect(house.cloud.calls.at(-1)).toMatchObject({
      service: 'dynamodb',
      by: 'api-fn',
      error: 'AccessDenied',
    });
  });

  it("has not the rights of the function's own role, nor that one its", async () => {
    await assume(house.sts(), 'org_a');
    const get = new GetItemCommand({ TableName, Key: key('O#org_a') });
    await expect(tableOf(house.api).send(get)).rejects.toMatchObject(denied);
  });
});

describe('a fence that asks for what is not there', () => {
  const scan = (grant: PolicyStatement['Condition']): PolicyStatement => ({
    Effect: 'Allow',
    Action: ['dynamodb:Scan', 'dynamodb:GetItem'],
    Resource: '*',
    ...(grant && { Condition: grant }),
  });
  const keys = { 'dynamodb:LeadingKeys': ['O#${aws:PrincipalTag/organization}'] };

  it('a Scan has no leading keys: ForAllValues alone lets it pass, as on AWS, and Null stops it', async () => {
    await house.role('tenant', [tenantTrust], [scan({ 'ForAllValues:StringLike': keys })]);
    const table = tableOf(await assume(house.sts(), 'org_a'));
    expect((await table.send(new ScanCommand({ TableName }))).Count).toBe(2);
    const fence = { 'ForAllValues:StringLike': keys, Null: { 'dynamodb:LeadingKeys': 'false' } };
    await house.role('tenant', [tenantTrust], [scan(fence)]);
    await expect(table.send(new ScanCommand({ TableName }))).rejects.toMatchObject(denied);
    await table.send(new GetItemCommand({ TableName, Key: key('O#org_a') }));
  });

  it('a variable of a tag that the session does not have never matches', async () => {
    const untagged: PolicyStatement = {
      Effect: 'Allow',
      Principal: { AWS: roleArn('api') },
      Action: 'sts:AssumeRole',
    };
    await house.tenant(untagged);
    const table = tableOf(await assume(house.sts(), 'org_a', { Tags: undefined }));
    const get = (pk: string) => table.send(new GetItemCommand({ TableName, Key: key(pk) }));
    for (const pk of ['O#org_a', 'O#', 'O##x', 'O#${aws:PrincipalTag/organization}']) {
      await expect(get(pk), pk).rejects.toMatchObject(denied);
    }
    await get('KEY#x');
  });

  it('a tag of the role stands for the one a session lacks, in any case of its key', async () => {
    const Tags = [{ Key: 'Organization', Value: 'org_b' }];
    const trust = (more: object): PolicyStatement => ({
      Effect: 'Allow',
      Principal: { AWS: roleArn('api') },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      ...more,
    });
    await house.tenant(trust({}), { Tags });
    const get = async (credentials: Credentials, organization: string) =>
      tableOf(credentials).send(new GetItemCommand({ TableName, Key: key(`O#${organization}`) }));
    const [bare, tagged] = [
      await assume(house.sts(), 'org_b', { Tags: undefined }),
      await assume(house.sts(), 'org_a'),
    ];
    await get(bare, 'org_b');
    await get(tagged, 'org_a');
    await expect(get(tagged, 'org_b')).rejects.toMatchObject(denied);
  });
});

describe("a session for an organization, at its tenant's objects", () => {
  beforeEach(() => house.tenant());
  const s3Of = (credentials: Credentials) => house.client(S3Client, credentials);
  const raw = (organization: string) =>
    new GetObjectCommand({ Bucket: 'bucket', Key: `${organization}/raw` });
  const presigned = async (organization: string, expiresIn = 60) => {
    const s3 = s3Of(await assume(house.sts(), 'org_a'));
    return getSignedUrl(s3, raw(organization), { expiresIn });
  };

  it('reads its own prefix only', async () => {
    const s3 = s3Of(await assume(house.sts(), 'org_a'));
    const { Body } = await s3.send(raw('org_a'));
    expect(await Body!.transformToString()).toBe('org_a');
    await expect(s3.send(raw('org_b'))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('presigns what it may read, also for later than the invocation, and names the function', async () => {
    const url = await presigned('org_a');
    house.frozen.add(house.api.accessKeyId);
    house.keys.retire(house.api.accessKeyId);
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, 'org_a']);
    expect(house.cloud.calls.at(-1)).toEqual({ service: 's3', action: 'GetObject', by: 'api-fn' });
  });

  it('presigns nothing of another organization', async () => {
    const response = await fetch(await presigned('org_b'));
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('AccessDenied')]);
  });

  it('ends what it presigned with itself', async () => {
    const url = await presigned('org_a', 7 * 24 * 3600);
    house.cloud.clock.advance(3_500_000);
    expect((await fetch(url)).status).toBe(200);
    house.cloud.clock.advance(101_000);
    expect(await (await fetch(url)).text()).toContain('<Code>ExpiredToken</Code>');
  });
});
