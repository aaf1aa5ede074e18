import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { mailObjects } from '../../lib/adapters/mail-objects.ts';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { tenantFence, type TenantFence } from '../../lib/adapters/tenant-fence.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { openCloud, type OpenCloud } from '../support/local-cloud.ts';
import { smtpClient } from '../support/smtp-client.ts';

// What the api function does, with its own credentials and from the deployed template, but without any check of its
// code: stores are asked for another organization's mail. What refuses is IAM.
let open: OpenCloud;
let fence: TenantFence;
let own: { ref: InboxRef; message: string };
let foreign: { ref: InboxRef; message: string };

const refOf = (prefix: RegExp): string => Object.entries(open.cloud.refs).find(([id]) => prefix.test(id))![1];

async function mailOf(client: Client, username: string): Promise<{ ref: InboxRef; message: string }> {
  const { inbox_id, organization_id, pod_id } = await client.inboxes.create({ username });
  const sender = smtpClient(open.cloud.smtp);
  await sender.send({ to: inbox_id });
  sender.close();
  const { messages } = await vi.waitFor(async () => {
    const page = await client.inboxes.messages.list(inbox_id);
    expect(page.messages).toHaveLength(1);
    return page;
  }, 20_000);
  const { holders } = inboxStore(openDatabase(refOf(/^storetable/)));
  const { uid } = (await holders([inbox_id])).get(inbox_id)!;
  return { ref: { uid, inbox_id, organization_id, pod_id }, message: messages[0]!.message_id };
}

beforeAll(async () => {
  open = await openCloud();
  const role = `arn:aws:iam::000000000000:role/${refOf(/^apirole/)}`;
  const { accessKeyId, secretAccessKey, sessionToken } = open.cloud.keys.issueKeys(role, 'api');
  vi.stubEnv('AWS_ENDPOINT_URL', open.cloud.aws);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', sessionToken);
  own = await mailOf(await open.client(), 'otter');
  foreign = await mailOf(await open.client(), 'badger');
  fence = tenantFence({
    tableName: refOf(/^storetable/),
    roleArn: `arn:aws:iam::000000000000:role/${refOf(/^apitenantrole/)}`,
    now: () => open.cloud.clock.now(),
  });
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await open.close();
});

const denied = expect.objectContaining({ name: 'AccessDeniedException' });

describe('the wall between tenants, with the code’s own checks taken away', () => {
  const inOwn = <T>(work: () => Promise<T>) => fence.within(own.ref.organization_id, work);
  const mailbox = () => mailboxStore(fence.database, () => open.cloud.clock.now());

  it('lets an organization read its own mail', async () => {
    expect((await inOwn(() => mailbox().whole(own.ref, own.message)))?.message.message_id).toBe(own.message);
  });

  it('refuses each way to another’s rows', async () => {
    await expect(inOwn(() => mailbox().message(foreign.ref, foreign.message))).rejects.toEqual(denied);
    await expect(inOwn(() => mailbox().whole(foreign.ref, foreign.message))).rejects.toEqual(denied);
    await expect(
      inOwn(() => mailbox().entries(foreign.ref, { of: 'messages' }, { ascending: false, limit: 5 })),
    ).rejects.toEqual(denied);
    await expect(
      inOwn(() =>
        mailbox().organizationThreads(foreign.ref.organization_id, true, { ascending: false, limit: 5 }),
      ),
    ).rejects.toEqual(denied);
    const message = await fence.within(foreign.ref.organization_id, () =>
      mailbox().message(foreign.ref, foreign.message),
    );
    const thread = await fence.within(foreign.ref.organization_id, () =>
      mailbox().thread(foreign.ref, message!.thread_id),
    );
    await expect(
      inOwn(() => mailbox().change({ before: thread!, after: thread!, messages: [] })),
    ).rejects.toEqual(denied);
  });

  it('refuses another’s objects, also by a URL', async () => {
    const objects = mailObjects(refOf(/^storebucket[0-9A-F]{8}$/), () => open.cloud.clock.now(), fence);
    const folder = { ...foreign.ref, message_id: foreign.message };
    const { download_url } = await inOwn(() => objects.urlOf(folder, 'raw'));
    expect((await fetch(download_url)).status).toBe(403);
    const mine = await inOwn(() => objects.urlOf({ ...own.ref, message_id: own.message }, 'raw'));
    expect((await fetch(mine.download_url)).status).toBe(200);
    expect(Date.parse(mine.expires_at) - open.cloud.clock.now()).toBeGreaterThan(29 * 60_000);
  });

  it('leaves the function’s own credentials without any mail', async () => {
    const database = openDatabase(refOf(/^storetable/));
    await expect(mailboxStore(database, Date.now).message(own.ref, own.message)).rejects.toEqual(denied);
  });

  it('has no rows for a call that belongs to nobody', async () => {
    await expect(mailbox().message(own.ref, own.message)).rejects.toThrow('nobody said whose rows these are');
  });
});
