import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { ulid } from 'ulid';
import { vi } from 'vitest';
import { archiveObjects } from '../../lib/adapters/archive-objects.ts';
import { apiKeyStore } from '../../lib/adapters/dynamo/api-key-store.ts';
import { archiveRow } from '../../lib/adapters/dynamo/archive-rows.ts';
import { packBodies } from '../../lib/adapters/dynamo/body-row.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { exportedKey, logHeadKey, removalKey, sealKey } from '../../lib/adapters/dynamo/keys.ts';
import { lineRow } from '../../lib/adapters/dynamo/line-rows.ts';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { removalStore } from '../../lib/adapters/dynamo/removal-store.ts';
import { webhookStore } from '../../lib/adapters/dynamo/webhook-store.ts';
import { keys } from '../../lib/adapters/keys.ts';
import { newUlid } from '../../lib/adapters/ulids.ts';
import { newArchive } from '../../lib/core/archives.ts';
import { takeDown } from '../../lib/core/delete-inbox.ts';
import { newRemoval } from '../../lib/core/removal.ts';
import type { Access } from '../../lib/local/cloud.ts';
import { S3 } from '../../lib/local/s3/s3.ts';
import { lockedBucket } from '../local/s3/locked-bucket.ts';
import { sampleLine, sealAll } from '../support/ledger-samples.ts';
import { inboxRef, newDeed, organizationId } from '../support/mail-samples.ts';
import { mailroomHouse } from '../support/mailroom-house.ts';
import { sampleWebhook } from '../support/memory-webhooks.ts';
import { clientSettings, deploy, serve } from '../support/service-endpoint.ts';
import { storedInbox } from '../support/table-house.ts';
import { freshHandler } from '../support/fresh-handler.ts';

export const places = {
  table: 'arn:aws:dynamodb:us-east-1:000000000000:table/mailroom',
  mail: 'arn:aws:s3:::mail',
  ledger: `arn:aws:s3:::${lockedBucket.BucketName}`,
};
type Background = 'fan-out-webhooks' | 'deliver-webhook' | 'export-ledger' | 'remove-inbox';
type Asked = Pick<Access, 'action' | 'resource' | 'context'>;

const minute = 60_000;
type Handler = (event: never, context: Context) => Promise<{ batchItemFailures: unknown[] } | void>;
const context = { getRemainingTimeInMillis: () => 15 * minute } as Context;
const [ada, bob, cid] = [inboxRef('ada'), inboxRef('bob'), inboxRef('cid')];
const org = { organization_id: organizationId };

/**
 * Runs the functions of the background as they are deployed, each through all that it does, and answers what each has
 * asked IAM for.
 */
export async function askedInTheBackground(): Promise<Record<Background, Asked[]>> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  const room = await mailroomHouse();
  const { cloud, database, now } = room;
  const bucket = new S3(cloud);
  for (const properties of [{ BucketName: 'mail' }, lockedBucket])
    await deploy(bucket, 'AWS::S3::Bucket', properties);
  const served = await serve(bucket);
  const s3 = new S3Client({ ...clientSettings(served.url), forcePathStyle: true });
  for (const [name, value] of Object.entries({
    ...{ TABLE_NAME: 'mailroom', BUCKET_NAME: 'mail', LEDGER_BUCKET_NAME: lockedBucket.BucketName },
    ...{ QUARANTINE_DAYS: '30', TRY_SECONDS: '5', ALLOW_LOOPBACK_WEBHOOKS: 'true' },
    ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret' },
    ...{ AWS_ENDPOINT_URL_DYNAMODB: room.url, AWS_ENDPOINT_URL_S3: served.url },
  }))
    vi.stubEnv(name, value);
  const handlers = {
    'fan-out-webhooks': await freshHandler<Handler>('fan-out-webhooks'),
    'deliver-webhook': await freshHandler<Handler>('deliver-webhook'),
    'export-ledger': await freshHandler<Handler>('export-ledger'),
    'remove-inbox': await freshHandler<Handler>('remove-inbox'),
  };
  const asked: Record<Background, Asked[]> = {
    ...{ 'fan-out-webhooks': [], 'deliver-webhook': [], 'export-ledger': [], 'remove-inbox': [] },
  };
  const run = async (name: Background, job?: object) => {
    const record = { messageId: 'm', body: JSON.stringify(job) };
    cloud.asked.length = 0;
    const answer = await handlers[name]({ Records: [record] } as never, context);
    asked[name].push(...cloud.asked.filter(({ quiet }) => quiet !== true));
    if (answer?.batchItemFailures.length) throw new Error(`${name} failed`);
  };
  const put = (Item: object) => database.client.send(new PutCommand({ TableName: 'mailroom', Item }));
  const scene: Scene = { room, s3, run, put, now };
  try {
    await tellWebhooks(scene);
    await exportTwice(scene);
    await removeAll(scene);
  } finally {
    s3.destroy();
    await served.close();
    await bucket.stop();
    await room.close();
    vi.unstubAllEnvs();
    vi.useRealTimers();
  }
  return asked;
}

interface Scene {
  room: Awaited<ReturnType<typeof mailroomHouse>>;
  s3: S3Client;
  run: (name: Background, job?: object) => Promise<void>;
  put: (row: object) => Promise<unknown>;
  now: () => number;
}

/** A mail with its bodies in a row and one with them in the bucket, told to an endpoint that is not there. */
async function tellWebhooks({ room, s3, run }: Scene): Promise<void> {
  const { database } = room;
  for (const ref of [bob, cid])
    await inboxStore(database).provision({ inbox: { ...storedInbox(), ...ref, email: ref.inbox_id } });
  const own = { inbox: { uid: ada.uid, inbox_id: ada.inbox_id } };
  const hook = sampleWebhook(1, { ...own, url: 'http://127.0.0.1:1/' });
  await webhookStore(database).create(hook, newDeed());
  for (const n of [1, 2]) await room.arrive({ message_id: `<${n}@b>` });
  const { messages, events } = await room.inside();
  const [first] = messages;
  await database.client.send(
    new UpdateCommand({
      ...{ TableName: 'mailroom', Key: { pk: first!['pk'], sk: first!['sk'] } },
      ...{ UpdateExpression: 'SET body = :object', ExpressionAttributeValues: { ':object': 'object' } },
    }),
  );
  const folder = `${organizationId}/${ada.uid}/${String(first!['message_id']).slice(4)}`;
  await s3.send(
    new PutObjectCommand({ Bucket: 'mail', Key: `${folder}/body`, Body: packBodies({ text: 'x' }) }),
  );
  const mails = events.filter(({ event_type }) => event_type === 'message.received');
  for (const [at, { pk: _pk, sk: _sk, v: _v, ...event }] of mails.entries()) {
    const detail = { version: '1', ...event, position: at + 1, inbox_uid: ada.uid };
    await run('fan-out-webhooks', { 'detail-type': 'message.received', detail });
    const { organization_id, event_id } = event as { organization_id: string; event_id: string };
    const job = { organization_id, webhook_id: hook.webhook_id, webhook_uid: ada.uid, uid: ada.uid };
    // The fourth pause is longer than SQS can wait.
    for (const attempt of [1, 2, 3, 4])
      await run('deliver-webhook', { ...job, event: event_id.slice(4), attempt });
  }
  await run('fan-out-webhooks', {
    'detail-type': 'inbox.created',
    detail: {
      ...{ version: '1', event_type: 'inbox.created', event_id: 'evt_1', timestamp: 'x', position: 9 },
      ...{ ...org, pod_id: ada.pod_id, inbox_id: ada.inbox_id, inbox_uid: ada.uid },
    },
  });
}

/** A seal, exported; and once more by one who does not know that it was. */
async function exportTwice({ room, run, put, now }: Scene): Promise<void> {
  // Other tests of the process may have been further in time, where ours of newUlid would stay.
  const line_id = `lin_${ulid(now()).toLowerCase()}`;
  const line = sampleLine(1, { line_id, time: new Date(now()).toISOString() });
  const [seal] = sealAll([[line]]);
  await put(lineRow(line));
  await put({ ...sealKey(organizationId, 1), v: 1, ...seal });
  await run('export-ledger');
  await room.database.client.send(
    new DeleteCommand({ TableName: 'mailroom', Key: exportedKey(organizationId) }),
  );
  await run('export-ledger');
}

/** An inbox with an archive, one whose archive nobody waits for any more, and the organization with the rest. */
async function removeAll({ room, s3, run, put, now }: Scene): Promise<void> {
  const { database } = room;
  const deps = { inboxes: inboxStore(database), now, ulid: newUlid, quarantineDays: 30 };
  const archive = (n: number) => ({ ...org, archive_id: `arc_01k0000000000000000000000${n}` });
  const down = (inbox: typeof ada, n: number) =>
    takeDown(deps, inbox, { reason: 'deleted', archive_id: archive(n).archive_id, deed: newDeed() });
  const pass = (minutes: number) => vi.setSystemTime(Date.now() + minutes * minute);
  const rest = async (what: string) => {
    for (let step = 1; (await removalStore(database).load({ ...org, what })) !== undefined; step++) {
      if (step > 5)
        throw new Error(`${what} is not removed: ${JSON.stringify(removalKey(organizationId, what))}`);
      pass(5);
      await run('remove-inbox', { ...org, what });
    }
  };
  const { public_key } = keys.generate();
  const key = { keyid: 'k', api_key_id: 'key_1', ...org, name: 'k', state: 'active' as const, public_key };
  const times = { created_at: new Date(now()).toISOString(), updated_at: 'x' };
  await apiKeyStore(database).add({ ...key, ...times, type: 'public_key' });
  await put({ ...logHeadKey(ada), v: 1 });
  const { messages } = await room.inside();
  for (const { message_id } of messages) {
    const Key = `${organizationId}/${ada.uid}/${String(message_id).slice(4)}/raw`;
    await s3.send(new PutObjectCommand({ Bucket: 'mail', Key, Body: 'Subject: Hi\r\n\r\nHello\r\n' }));
  }
  await down(ada, 1);
  await rest(ada.uid);

  await down(bob, 2);
  const upload_id = await archiveObjects('mail', s3).begin(archive(2), 30);
  const begun = newArchive(storedInbox('bob'), archive(2).archive_id, new Date(now()).toISOString());
  await put(archiveRow({ ...begun, progress: { ...begun.progress, upload_id } }));
  const removal = newRemoval(now(), { ...org, what: organizationId });
  await organizationStore(database).takeDown(removal, newDeed());
  await rest(bob.uid);

  pass(5);
  await run('remove-inbox', { ...org, what: organizationId });
  await rest(cid.uid);
  await rest(organizationId);
}
