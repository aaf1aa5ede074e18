import { setTimeout as wait } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  QueryCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import nodemailer from 'nodemailer';
import { newUlid } from '../../lib/adapters/ulids.ts';
import type { Call } from '../../lib/local/cloud.ts';
import type { LocalCloud } from '../../lib/local/start.ts';
import type { Client } from '../../lib/sdk/client.ts';

type Item = Record<string, AttributeValue>;

export interface Removed {
  mails: number;
  /** Milliseconds from when the removal may begin to when no row and no object is left. */
  took: number;
  calls: Call[];
}

const refOf = ({ refs }: LocalCloud, pattern: RegExp): string =>
  Object.entries(refs).find(([id]) => pattern.test(id))![1];

/**
 * Takes down an inbox with so many mails. The first comes by SMTP; the others are copies of its rows and its object
 * under ids of their own, since to receive ten thousand takes minutes.
 */
export async function measureRemoval(cloud: LocalCloud, client: Client, mails: number): Promise<Removed> {
  const { smtp, clock, operator, aws: endpoint } = cloud;
  const credentials = { accessKeyId: operator.access_key_id, secretAccessKey: operator.secret_access_key };
  const common = { endpoint, region: operator.region, credentials };
  const dynamodb = new DynamoDBClient(common);
  const s3 = new S3Client({ ...common, forcePathStyle: true });
  const TableName = refOf(cloud, /^storetable[0-9A-F]{8}$/);
  const Bucket = refOf(cloud, /^storebucket[0-9A-F]{8}$/);
  const { inbox_id, organization_id } = await client.inboxes.create();
  const transport = nodemailer.createTransport({ ...smtp, name: 'sender.test', ignoreTLS: true });
  await transport.sendMail({ from: 'alice@sender.test', to: inbox_id, subject: 'First', text: 'Hello.' });
  transport.close();
  const message = await firstMessage(client, inbox_id);
  const raw = (await objectsUnder(s3, Bucket, `${organization_id}/`)).find((key) => key.includes(message))!;
  const uid = raw.split('/')[1]!;
  const owner = `O#${organization_id}#I#${uid}`;
  const lists = ['V', 'L#V#received', 'L#V#unread'].map((list) => `${owner}#${list}`);
  const sample = (await Promise.all([owner, ...lists].map((pk) => rowsOf(dynamodb, TableName, pk))))
    .flat()
    .filter((item) => JSON.stringify(item).includes(message));
  await copy(mails - 1, async (ulid) => {
    const items = sample.map((item) => JSON.parse(JSON.stringify(item).replaceAll(message, ulid)) as Item);
    const own = items.filter(({ sk }) => sk!.S!.includes(ulid));
    await dynamodb.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: own.map((Item) => ({ PutRequest: { Item } })) },
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: raw.replace(message, ulid), Body: 'Hello.' }));
  });
  cloud.calls.reset();
  await client.inboxes.delete(inbox_id);
  // Its message has to be in the queue before the clock goes on: no call of before may still be writing when it begins.
  while (!cloud.calls.list.some(({ action }) => action === 'SendMessageBatch')) await wait(50);
  await wait(500);
  cloud.calls.reset();
  clock.advance(91_000);
  const start = performance.now();
  for (;;) {
    const left =
      (await objectsUnder(s3, Bucket, `${organization_id}/${uid}/`)).length +
      (await Promise.all([owner, ...lists].map((pk) => rowsOf(dynamodb, TableName, pk)))).flat().length;
    if (left === 0) break;
    // Looking is work for the machine too.
    await wait(500);
  }
  const calls = cloud.calls.list.filter(({ by }) => by.includes('removeinbox'));
  return { mails, took: performance.now() - start, calls };
}

async function firstMessage(client: Client, inbox: string): Promise<string> {
  for (;;) {
    const [first] = (await client.inboxes.messages.list(inbox)).messages;
    if (first !== undefined) return first.message_id.slice('msg_'.length);
    await wait(20);
  }
}

/** At most 1,000 of them. */
async function objectsUnder(s3: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key }) => Key!);
}

/** At most 1 MB of them. */
async function rowsOf(dynamodb: DynamoDBClient, TableName: string, pk: string): Promise<Item[]> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
      ConsistentRead: true,
      Limit: 100,
    }),
  );
  return Items;
}

/** Under new ids, eight at a time. */
async function copy(count: number, make: (ulid: string) => Promise<void>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await make(newUlid());
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}
