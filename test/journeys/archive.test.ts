import { randomBytes } from 'node:crypto';
import { simpleParser } from 'mailparser';
import { beforeAll, expect, it } from 'vitest';
import type { Answer } from '../../lib/sdk/caller.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { readMbox } from '../support/read-mbox.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const problem = (code: string, status: number) => expect.objectContaining({ code, status });
const notFound = problem('not_found', 404);
const large = randomBytes(1024 ** 2);
const archive_id = expect.stringMatching(/^arc_[0-9a-z]{26}$/);
const all = { include_spam: true, include_unauthenticated: true, include_blocked: true };

let organization_id: string;
let client: Client;
let pod: string;
let ada: string;
/** Its messages, by id. */
let told: Record<string, { subject?: string | undefined; labels: string[] }>;
let full: Answer<'archives.get'>;
let empty: Answer<'archives.get'>;

// An inbox with mail and one without are taken down together: what passes until they are archived passes once.
beforeAll(async () => {
  ({ organization_id, client } = await mailroom.organization());
  await client.organizations.update({ archive_retention_days: 1 });
  ada = await mailroom.inbox(client, 'ada');
  pod = (await client.pods.create()).pod_id;
  const { inbox_id: bob } = await client.pods.inboxes.create(pod);
  await mailroom.send({ to: ada, subject: 'First', text: 'From here on\n>From there\nit goes.' });
  await mailroom.send({
    to: ada,
    subject: 'Large',
    attachments: [{ filename: 'large.bin', content: large }],
  });
  await mailroom.sendRaw(ada, 'From: eve@forger.test\nSubject: Forged\n\nHidden', 'eve@forger.test');
  const messages = await mailroom.messages(ada, 3, client, all);
  told = Object.fromEntries(messages.map((message) => [message.message_id, message]));
  await refuses(bob);

  const answers = [
    await client.inboxes.delete(ada, { messages: 'archive' }),
    await client.inboxes.delete(bob, { messages: 'archive' }),
  ];
  expect(answers).toEqual(Array(2).fill({ archive_id, pending: true }));
  await expect(client.inboxes.delete(ada, { messages: 'archive' })).rejects.toEqual(notFound);
  const ids = answers.map((answer) => answer!.archive_id);
  expect(await client.archives.get(ids[0]!)).toMatchObject({ state: 'pending', inbox_id: ada });
  [full, empty] = (await mailroom.eventually(async () => {
    const found = await Promise.all(ids.map((id) => client.archives.get(id)));
    if (found.some(({ state }) => state !== 'ready')) throw new Error('the archives are not ready');
    return found;
  })) as [typeof full, typeof full];
}, 120_000);

async function refuses(inbox: string): Promise<void> {
  const query = { messages: 'keep' as never };
  await expect(client.inboxes.delete(inbox, query)).rejects.toEqual(problem('validation_error', 400));
  const other = await mailroom.clientWith({ inbox_delete: true }, organization_id);
  const refusal = problem('missing_permission', 403);
  await expect(other.inboxes.delete(inbox, { messages: 'archive' })).rejects.toEqual(refusal);
}

/** The bucket is busy at times, as any client has to know. */
const download = (url: string | undefined) =>
  mailroom.eventually(async () => {
    const answer = await fetch(url!);
    if (answer.status === 503) throw new Error('the bucket is busy');
    return answer;
  });
const objects = () => mailroom.objects(`${organization_id}/`);
const fileOf = ({ archive_id: id }: { archive_id: string }) => `${organization_id}/archives/${id}.mbox`;

it('a deleted inbox leaves its mail in a file of a mail program', async () => {
  expect(full).toMatchObject({
    ...{ organization_id, pod_id: organization_id, inbox_id: ada, messages: 3, quarantined: 0, missing: 0 },
  });
  const answer = await download(full.download_url);
  const name = `${ada}-${full.created_at.slice(0, 10)}.mbox`;
  expect(answer.headers.get('content-disposition')).toContain(name);
  const file = Buffer.from(await answer.arrayBuffer());
  expect(file.length).toBe(full.size);
  const mails = readMbox(file);
  expect(mails.map(({ message_id }) => told[message_id]?.subject)).toEqual(['First', 'Large', 'Forged']);
  const senders = ['alice@sender.test', 'alice@sender.test', 'eve@forger.test'];
  expect(mails.map(({ sender }) => sender)).toEqual(senders);
  for (const { message_id, labels } of mails) expect(labels).toEqual(told[message_id]!.labels.toSorted());
  expect((await simpleParser(mails[0]!.mail)).text).toBe('From here on\n>From there\nit goes.\n');
  const [attachment] = (await simpleParser(mails[1]!.mail)).attachments;
  expect(attachment!.content.equals(large)).toBe(true);
});

it('an empty one leaves an empty file', async () => {
  expect(empty).toMatchObject({ pod_id: pod, messages: 0, size: 0 });
  expect(await (await download(empty.download_url)).text()).toBe('');
});

it('an archive is seen from its pod and from above, and by nobody else', async () => {
  await mailroom.eventually(async () => {
    const ids = ({ archives }: Answer<'archives.list'>) => archives.map(({ archive_id: id }) => id);
    expect(ids(await client.archives.list())).toEqual([empty.archive_id, full.archive_id]);
    expect(ids(await client.pods.archives.list(pod))).toEqual([empty.archive_id]);
  });
  await expect(client.pods.archives.get(pod, full.archive_id)).rejects.toEqual(notFound);
  const other = (await mailroom.organization()).client;
  await expect(other.archives.get(full.archive_id)).rejects.toEqual(notFound);
  expect((await other.archives.list()).archives).toEqual([]);
});

it('the archive stays when the mail it was made of goes, until it is deleted or its days are over', async () => {
  await mailroom.eventually(async () => {
    expect(await objects()).toEqual([full, empty].map(fileOf).toSorted());
  });
  expect(await client.pods.archives.delete(pod, empty.archive_id)).toBeUndefined();
  await expect(client.archives.get(empty.archive_id)).rejects.toEqual(notFound);
  await endOf(full);
  await mailroom.eventually(async () => {
    await expect(client.archives.get(full.archive_id)).rejects.toEqual(notFound);
    expect(await objects()).toEqual([]);
  });
  const { lines } = await client.audit.list({ limit: 500 });
  const about = lines.filter(({ resources }) => resources.includes(full.archive_id));
  expect(new Set(about.map(({ action, principal }) => `${principal.kind} ${action}`))).toEqual(
    new Set([
      'key inboxes.delete',
      'key archives.get',
      'key archives.list',
      'key pods.archives.get',
      'system archives.delete',
    ]),
  );
}, 120_000);

/** The time of the archive is over. */
async function endOf({ expires_at, updated_at }: Answer<'archives.get'>): Promise<void> {
  expect(Date.parse(expires_at!) - Date.parse(updated_at)).toBeLessThanOrEqual(24 * 3600_000);
  await mailroom.sleep(Date.parse(expires_at!) - mailroom.cloud.clock.now());
}
