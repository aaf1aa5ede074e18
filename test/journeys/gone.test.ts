import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../lib/sdk/client.ts';
import { verifyWholeLedger } from '../../lib/sdk/verify-ledger.ts';
import { fleet } from '../support/fleet.ts';
import { sharedMailroom } from '../support/mailroom.ts';
import { compare, takeStock } from '../support/remains.ts';
import { thorough } from '../support/thorough.ts';
import { openReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const mailroom = sharedMailroom({ own: true });
const problem = (code: string, status: number) => expect.objectContaining({ code, status });
const notFound = problem('not_found', 404);
const keyGone = problem('unknown_api_key', 401);
const nothingLeft = { orphans: [], lost: [], objects: [], queued: 0 };

let endpoint: WebhookReceiver;
let organization_id: string;
let client: Client;
beforeAll(async () => {
  endpoint = await openReceiver();
  ({ organization_id, client } = await mailroom.organization());
});
afterAll(() => endpoint.close());

/** Half an hour of the cloud's clock takes its time on a busy machine. */
async function patiently<T>(check: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await mailroom.eventually(check);
    } catch (error) {
      if (round === 4) throw error;
    }
  }
}

/** Everything as it is when nothing is on its way and nothing waits. */
const stock = async () => {
  let looks = 0;
  return patiently(async () => {
    // A look at everything is not cheap, and half an hour has to pass.
    if (++looks % 6 !== 0) throw new Error('not looked yet');
    const found = await takeStock(mailroom);
    const waiting = [...found.rows.keys()].filter((name) => /^DUE#\d|^O#\S+ REMOVAL#/.test(name));
    if (waiting.length > 0) throw new Error(`${waiting.length} rows wait: ${waiting[0]}`);
    if (found.queued > 0) throw new Error(`${found.queued} messages are on their way`);
    return found;
  });
};
const addressesOf = (from: Awaited<ReturnType<typeof stock>>) =>
  [...from.rows].flatMap(([name, { organization_id: id }]) =>
    name.startsWith('ADDR#') && id === organization_id ? [name] : [],
  );

const count = thorough ? 50 : 2;

it('inboxes that come and go leave what the ledger knows, their log, and addresses at rest', async () => {
  const before = await stock();
  const members = await fleet(mailroom, client, { count, url: endpoint.url('/'), prefix: 'fleet' });
  const full = await takeStock(mailroom);
  expect(full.objects.length - before.objects.length).toBeGreaterThanOrEqual(4 * count);
  expect(full.rows.size - before.rows.size).toBeGreaterThan(25 * count);
  for (const { inbox_id } of members) expect(await client.inboxes.delete(inbox_id)).toBeUndefined();

  const after = await stock();
  const { kinds, ...found } = compare(before, after);
  expect(found).toEqual(nothingLeft);
  expect(kinds).toEqual(expect.arrayContaining(['event', 'line', 'quarantine', 'seal']));
  expect(kinds).not.toEqual(expect.arrayContaining(['delivery']));
  expect(addressesOf(after)).toHaveLength(count);
  expect(await client.organizations.get()).toMatchObject({ inbox_count: 0 });
  expect((await client.inboxes.list()).inboxes).toEqual([]);
  expect((await client.threads.list({ include_spam: true })).threads).toEqual([]);
  // Its own webhooks heard of mail, and nothing of their end.
  expect(new Set(endpoint.heard.map(({ event_type }) => event_type))).toEqual(new Set(['message.received']));
}, 120_000);

it('a deleted inbox is gone at once: for its keys, by its names, in all lists; an old token reads nothing', async () => {
  const [{ inbox_id, own }] = (await fleet(mailroom, client, {
    ...{ count: 1, url: endpoint.url('/'), prefix: 'once' },
  })) as [Awaited<ReturnType<typeof fleet>>[number]];
  const [thread] = (await client.threads.list({ include_spam: true })).threads;
  const { token } = await client.auth.token({ inbox_id });
  const minted = (path: string) =>
    fetch(`${mailroom.cloud.api}${path}`, { headers: { authorization: `Bearer ${token}` } });
  expect((await minted('/v0/threads')).status).toBe(200);
  await own.inboxes.messages.list(inbox_id);
  await client.inboxes.delete(inbox_id);

  await expect(own.inboxes.update(inbox_id, { display_name: 'Ghost' })).rejects.toEqual(keyGone);
  await expect(client.inboxes.update(inbox_id, { display_name: 'Ghost' })).rejects.toEqual(notFound);
  await expect(client.inboxes.delete(inbox_id)).rejects.toEqual(notFound);
  expect((await client.threads.list({ include_spam: true })).threads).toEqual([]);
  await expect(client.threads.get(thread!.thread_id)).rejects.toEqual(notFound);
  await expect(client.threads.delete(thread!.thread_id)).rejects.toEqual(notFound);
  mailroom.cloud.clock.advance(5001);
  await expect(own.inboxes.messages.list(inbox_id)).rejects.toEqual(keyGone);
  await expect(client.inboxes.messages.list(inbox_id)).rejects.toEqual(notFound);
  expect((await minted('/v0/threads')).status).toBe(401);
  expect((await minted(`/v0/inboxes/${inbox_id}/messages`)).status).not.toBe(200);
});

it('an address rests for others, and its own may have it again at once and finds nothing old there', async () => {
  const username = 'phoenix';
  const hook = await client.webhooks.create({ url: endpoint.url('/'), event_types: ['inbox.deleted'] });
  const made = await client.inboxes.create({ username, client_id: username });
  const { inbox_id } = made;
  await mailroom.send({ to: inbox_id, subject: 'Old' });
  await mailroom.messages(inbox_id, 1, client);
  await client.inboxes.delete(inbox_id);
  const other = await mailroom.organization();
  await expect(other.client.inboxes.create({ username })).rejects.toEqual(problem('resource_taken', 403));
  // Nobody has it now.
  await mailroom.send({ to: inbox_id, subject: 'To nobody' });
  const again = await client.inboxes.create({ username, client_id: username });
  expect(again.created_at > made.created_at).toBe(true);
  // Reads may remember for five seconds which inbox an address names.
  mailroom.cloud.clock.advance(5001);
  await mailroom.send({ to: inbox_id, subject: 'New' });
  const [only] = await mailroom.messages(inbox_id, 1, client);
  expect(only!.subject).toBe('New');
  await patiently(async () => {
    const { undeliverable } = await mailroom.operator.undeliverable.list();
    expect(undeliverable.filter(({ recipient }) => recipient === inbox_id)).toMatchObject([
      { subject: 'To nobody', reason: expect.stringMatching(/^(inbox_deleted|arrived_before_inbox)$/) },
    ]);
    expect(endpoint.heard).toContainEqual(
      expect.objectContaining({ event_type: 'inbox.deleted', inbox_id, reason: 'deleted' }),
    );
  });
  if (thorough) await stock();
  expect((await client.inboxes.messages.list(inbox_id)).messages.map(({ subject }) => subject)).toEqual([
    'New',
  ]);
  await client.webhooks.delete(hook.webhook_id);
  await client.inboxes.delete(inbox_id);
}, 120_000);

it('mail that was under way for the old inbox is not given to the new one', async () => {
  const username = 'successor';
  const { inbox_id } = await client.inboxes.create({ username });
  // SES has taken it, and its notice is lost: it waits for the reconciler.
  const head = [
    'Return-Path: <alice@sender.test>',
    'Received: from mx.sender.test (mx.sender.test [192.0.2.7])',
    ' by inbound-smtp.us-east-1.amazonaws.com with SMTP id late1',
    ` for ${inbox_id}; Tue, 13 Jan 2026 21:02:45 +0000 (UTC)`,
    'X-SES-Spam-Verdict: PASS',
    'X-SES-Virus-Verdict: PASS',
  ];
  const Body = [...head, 'From: alice@sender.test', 'Subject: Late', '', 'For the old one.'].join('\r\n');
  await mailroom.s3().send(new PutObjectCommand({ Bucket: mailroom.bucket, Key: 'incoming/late1', Body }));
  mailroom.cloud.clock.advance(2000);
  await client.inboxes.delete(inbox_id);
  expect((await client.inboxes.create({ username })).inbox_id).toBe(inbox_id);
  await patiently(async () => {
    const { undeliverable } = await mailroom.operator.undeliverable.list();
    expect(undeliverable).toContainEqual(
      expect.objectContaining({ recipient: inbox_id, subject: 'Late', reason: 'arrived_before_inbox' }),
    );
  });
  expect((await client.inboxes.messages.list(inbox_id)).messages).toEqual([]);
  await client.inboxes.delete(inbox_id);
}, 120_000);

if (thorough)
  it('a pod goes when it is empty, and leaves nothing', async () => {
    const before = await stock();
    const { pod_id } = await client.pods.create({ client_id: 'pod' });
    await client.pods.apiKeys.create(pod_id, { type: 'generate', client_id: 'pod-key' });
    await client.pods.webhooks.create(pod_id, { url: endpoint.url('/'), event_types: ['message.received'] });
    const [member] = await fleet(mailroom, client, {
      count: 1,
      url: endpoint.url('/'),
      pod_id,
      prefix: 'in-pod',
    });
    await expect(client.pods.delete(pod_id)).rejects.toEqual(problem('cannot_delete', 409));
    await client.pods.inboxes.delete(pod_id, member!.inbox_id);
    await client.pods.delete(pod_id);
    const { kinds, ...found } = compare(before, await stock());
    // That a key was revoked, and what a deleted webhook was told, is known for 30 days.
    expect(kinds).toEqual(expect.arrayContaining(['revoked key', 'delivery']));
    expect(found).toEqual(nothingLeft);
  }, 120_000);

describe('an organization that is deleted', () => {
  it('goes with everything it has but its ledger, which verifies', async () => {
    const before = await stock();
    const { organization_id: id, client: own } = await mailroom.organization();
    await own.organizations.update({ bearer_keys: true });
    const { pod_id } = await own.pods.create({ client_id: 'pod' });
    await own.webhooks.create({ url: endpoint.url('/'), event_types: ['inbox.deleted'], client_id: 'hook' });
    await own.apiKeys.create({ type: 'bearer', client_id: 'bearer' });
    const heard = endpoint.heard.length;
    const members = [
      ...(await fleet(mailroom, own, { count: 2, url: endpoint.url('/'), prefix: 'leaving' })),
      ...(await fleet(mailroom, own, { count: 1, url: endpoint.url('/'), pod_id, prefix: 'leaving-pod' })),
    ];
    await own.inboxes.list();

    expect(await mailroom.operator.organizations.delete(id)).toMatchObject({ state: 'deleting' });
    await expect(own.inboxes.create()).rejects.toEqual(keyGone);
    await mailroom.send({ to: members[0]!.inbox_id, subject: 'Too late' });
    await expect(mailroom.operator.organizations.resume(id)).rejects.toEqual(
      problem('resource_deleting', 409),
    );
    expect(await mailroom.operator.organizations.delete(id)).toMatchObject({ state: 'deleting' });
    mailroom.cloud.clock.advance(5001);
    await expect(own.inboxes.list()).rejects.toEqual(keyGone);
    await expect(members[0]!.own.inboxes.messages.list(members[0]!.inbox_id)).rejects.toEqual(keyGone);

    const after = await stock();
    await expect(mailroom.operator.organizations.get(id)).rejects.toEqual(notFound);
    const { kinds, ...found } = compare(before, after);
    expect(found).toEqual(nothingLeft);
    expect(kinds).toEqual(
      expect.arrayContaining([
        'deleted organization',
        'event',
        'line',
        'quarantine',
        'seal',
        'undeliverable',
      ]),
    );
    expect([...after.rows.keys()].filter((name) => name.startsWith(`O#${id}#W `))).toEqual([]);
    // Nobody is told of what an organization that is going hears no more.
    expect(endpoint.heard.slice(heard).some(({ event_type }) => event_type === 'message.received')).toBe(
      true,
    );

    const audit = mailroom.operator.audit;
    const lines: string[] = [];
    for await (const { action, principal } of audit.all(id, { limit: 100, ascending: true }))
      lines.push(`${action} ${principal.kind}`);
    expect(lines.filter((line) => line === 'inboxes.delete system')).toHaveLength(3);
    expect(lines).toContain('operator.organizations.delete operator');
    const proof = await mailroom.eventually(async () => {
      const found = await verifyWholeLedger({
        organization_id: id,
        lines: audit.all(id, { limit: 100, ascending: true }),
        seals: audit.allSeals(id, { limit: 100 }),
        now: () => mailroom.cloud.clock.now() + 11 * 60_000,
      });
      if (found.findings.length > 0) throw new Error(JSON.stringify(found).slice(0, 500));
      return found;
    });
    expect(proof.lines).toBe(lines.length);
  }, 120_000);

  it('is never the operator’s, nor one that nobody has', async () => {
    const { organizations } = mailroom.operator;
    await expect(organizations.delete('org_operator')).rejects.toEqual(problem('cannot_delete', 409));
    await expect(organizations.delete('org_01k00000000000000000000000')).rejects.toEqual(notFound);
  });
});
