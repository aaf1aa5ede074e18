import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { messageEntries } from '../../core/message-lists.ts';
import type { RemainingRows } from '../../core/removal-ports.ts';
import { threadEntries } from '../../core/thread-state.ts';
import type { Database, Row } from './client.ts';
import { listingKeys, toCredential } from './credential-rows.ts';
import { deleteRows } from './delete-rows.ts';
import {
  clientIdKey,
  credentialKey,
  deliveryPk,
  inboxKey,
  listKey,
  listPk,
  logHeadKey,
  messagePrefix,
  organizationKey,
  payloadPk,
  personPk,
  removalKey,
  threadEntryKey,
  webhookPrefix,
  type Key,
  type List,
  type LogOwner,
  type Owner,
} from './keys.ts';
import { toMessage } from './message-rows.ts';
import { getRows, queryRange } from './rows.ts';
import { singleWrite } from './single-write.ts';
import { table } from './table.ts';
import { toThread } from './thread-rows.ts';
import { toStoredWebhook, webhookPointers } from './webhook-rows.ts';

/** Rows of one piece; a message has about ten others that are deleted before it. */
const pieceRows = 200;
/** The end of a log stays as long as any of its events. */
const logSeconds = 31 * 24 * 3600;

const threadPrefix = 'T#';
const keyPrefix = 'KEY#';

/** What was taken down, in the table. */
export const remainingRows = (database: Database, now: () => number): RemainingRows => ({
  async *ofInbox({ organization_id, uid }) {
    const owner = { organization_id, uid };
    for await (const rows of pages(database, inboxKey(owner).pk)) yield* removePage(database, owner, rows);
    // A list of a label has its rows deleted with the messages it lists; these have names that are known.
    const lists = ['messages', 'hidden-messages', 'threads', 'hidden-threads'] as const;
    for (const of of lists) yield* drain(database, listPk(owner, { of }));
    yield* drain(database, payloadPk(owner));
    await endLog(database, owner, now());
  },

  async *ofOrganization(organization_id) {
    const staying = [organizationKey(organization_id).sk, removalKey(organization_id, organization_id).sk];
    for await (const rows of pages(database, organizationKey(organization_id).pk))
      yield* removePage(
        database,
        { organization_id },
        rows.filter(({ sk }) => !staying.includes(sk)),
      );
    yield* drain(database, personPk(organization_id));
    await endLog(database, { organization_id }, now());
  },
});

/** Deletes rows of an inbox's or an organization's own partition, after those that only they lead to. */
async function* removePage(
  database: Database,
  { organization_id, uid }: LogOwner,
  rows: Row[],
): AsyncGenerator<number> {
  const kind = (prefix: string) => rows.filter(({ sk }) => sk.startsWith(prefix));
  for (const { sk } of kind(webhookPrefix))
    yield* drain(database, deliveryPk(organization_id, sk.slice(webhookPrefix.length)));
  const behind = [
    ...(uid === undefined
      ? []
      : mailBehind({ organization_id, uid }, kind(messagePrefix), kind(threadPrefix))),
    ...kind(webhookPrefix).flatMap((row) => webhookPointers(toStoredWebhook(row))),
    ...(await keysBehind(database, organization_id, kind(keyPrefix))),
  ];
  await deleteRows(database, behind);
  yield deleteRows(database, rows as Key[]);
}

/** The places of messages and threads in lists, and what leads to threads. */
function mailBehind(owner: Owner, messages: Row[], threads: Row[]): Key[] {
  const places = (entries: { list: List; ulid: string }[]): Key[] =>
    entries.map(({ list, ulid }) => listKey(owner, list, ulid));
  return [
    ...messages.flatMap((row) => places(messageEntries(toMessage(row)))),
    ...threads.flatMap((row) => {
      const thread = toThread(row);
      return [...places(threadEntries(thread)), threadEntryKey(owner.organization_id, thread.thread_id)];
    }),
  ];
}

/** The keys that listings point to, with their other listings; not one that was registered again elsewhere since. */
async function keysBehind(database: Database, organizationId: string, listings: Row[]): Promise<Key[]> {
  const found = await getRows(
    database,
    listings.map(({ keyid }) => credentialKey(keyid)),
  );
  return found.flatMap((row, at) => {
    const id = listings[at]!['sk'].slice(keyPrefix.length);
    if (row?.['organization_id'] !== organizationId || row['api_key_id'] !== id) return [];
    const credential = toCredential(row);
    const { keyid, client_id } = credential;
    return [
      credentialKey(keyid),
      ...listingKeys(credential),
      ...(client_id === undefined ? [] : [clientIdKey(organizationId, 'api_key', client_id)]),
    ];
  });
}

/** Deletes all rows of a partition. */
async function* drain(database: Database, partition: string): AsyncGenerator<number> {
  for await (const rows of pages(database, partition)) yield deleteRows(database, rows as Key[]);
}

/** The rows of a partition, in pieces. */
async function* pages(database: Database, partition: string): AsyncGenerator<Row[]> {
  for (let after: Row | undefined; ;) {
    const { rows, last } = await queryRange(database, {
      ...{ partition, ascending: true, limit: pieceRows },
      ...(after && { after }),
    });
    if (rows.length > 0) yield rows;
    if (last === undefined) return;
    after = last;
  }
}

/** Events of the log go with their time; from now on its end does too. */
async function endLog({ client, tableName }: Database, owner: LogOwner, now: number): Promise<void> {
  await singleWrite(() =>
    client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: logHeadKey(owner),
        UpdateExpression: 'SET #expires = :expires',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#expires': table.ttl },
        ExpressionAttributeValues: { ':expires': Math.floor(now / 1000) + logSeconds },
      }),
    ),
  );
}
