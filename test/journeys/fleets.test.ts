import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { sharedMailroom } from '../support/mailroom.ts';
import { openReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

vi.setConfig({ testTimeout: 120_000 });

const mailroom = sharedMailroom();
const day = 24 * 3600_000;
const iso = (time: number) => new Date(time).toISOString();
const now = () => mailroom.cloud.clock.now();

let endpoint: WebhookReceiver;
let organization_id: string;
let client: Client;
beforeAll(async () => {
  endpoint = await openReceiver();
  ({ organization_id, client } = await mailroom.organization());
  const event_types = [
    'inbox.expiring', 'inbox.deleted', 'message.refused', 'message.deleted', 'inbox.storage_warning',
    'organization.storage_warning',
  ] as const; // prettier-ignore
  await client.webhooks.create({ url: endpoint.url('/'), event_types: [...event_types] });
});
afterAll(() => endpoint.close());

type Told = { event_type: string; event_id: string; inbox_id?: string; timestamp: string };
/** What was told of an inbox, each event once. */
const told = (inbox_id: string): Told[] => {
  const heard = endpoint.heard as Told[];
  return [...new Map(heard.map((one) => [one.event_id, one])).values()]
    .filter((one) => one.inbox_id === inbox_id)
    .toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
};
const lines = async (action: string) => {
  const found = [];
  for await (const line of client.audit.all({ action, limit: 100 })) found.push(line);
  return found;
};
const dueRows = async (text: string) => {
  const { Items = [] } = await mailroom.dynamodb().send(new ScanCommand({ TableName: mailroom.tableName }));
  return Items.map((item) => unmarshall(item)).filter(
    ({ pk, work }) => String(pk).startsWith('DUE#') && JSON.stringify(work).includes(text),
  );
};

const sleepUntil = (time: number) => mailroom.sleep(Math.max(0, time - now()));

it('an inbox with an end is announced and taken down by itself, and leaves no work behind', async () => {
  const expires_at = iso(now() + 90 * 60_000);
  const { inbox_id } = await client.inboxes.create({
    username: 'mayfly',
    client_id: 'mayfly',
    expires_at,
    retention_days: 3,
  });
  const kept = await mailroom.inbox(client, 'survivor');
  await client.inboxes.update(kept, { expires_at });
  expect(await client.inboxes.update(kept, { expires_at: null })).not.toHaveProperty('expires_at');
  await mailroom.pass(3);
  await sleepUntil(Date.parse(expires_at) - 59 * 60_000);
  const types = () => told(inbox_id).map(({ event_type }) => event_type);
  await mailroom.eventually(() => expect(types()).toEqual(['inbox.expiring']));
  expect(await client.inboxes.get(inbox_id)).toMatchObject({ expires_at });
  await sleepUntil(Date.parse(expires_at) + 60_000);
  await mailroom.eventually(() => expect(types()).toEqual(['inbox.expiring', 'inbox.deleted']));
  const [expiring, deleted] = told(inbox_id);
  expect(expiring).toMatchObject({ expires_at, inbox: { inbox_id, expires_at } });
  const announced = Date.parse(expires_at) - Date.parse(expiring!.timestamp);
  expect(announced / 60_000).toBeGreaterThan(20);
  expect(announced / 60_000).toBeLessThanOrEqual(61);
  expect(deleted!.timestamp >= expires_at).toBe(true);
  expect(deleted).toMatchObject({ reason: 'expired' });
  await expect(client.inboxes.get(inbox_id)).rejects.toMatchObject({ code: 'not_found' });
  const [line] = await lines('inboxes.expire');
  expect(line).toMatchObject({ principal: { kind: 'system' }, inbox_uid: line!.resources[0] });
  expect(await client.inboxes.get(kept)).toMatchObject({ inbox_id: kept });
  expect(told(kept)).toEqual([]);
  await mailroom.eventually(async () => {
    const left = (await dueRows(line!.inbox_uid!)).map(({ work }) => work.kind as string);
    expect(left.filter((kind) => kind !== 'watch-removal')).toEqual([]);
  });
  await client.inboxes.delete(kept);
});

it('mail that is older than it is kept goes by itself, with its objects', async () => {
  const inbox = await mailroom.inbox(client, 'forgetful');
  await mailroom.send({ to: inbox, subject: 'Old', attachments: [{ filename: 'a.txt', content: 'a' }] });
  const [old] = await mailroom.messages(inbox, 1, client);
  await sleepUntil(now() + 3 * day);
  await mailroom.send({ to: inbox, subject: 'New' });
  await mailroom.messages(inbox, 2, client);
  const before = await mailroom.objects(`${organization_id}/`);
  for (let n = 0; n < 3; n++) await client.inboxes.update(inbox, { retention_days: 2 });
  const [turn, ...more] = await dueRows('retain-mail');
  expect(more).toEqual([]);
  await sleepUntil(Date.parse(`${String(turn!['sk']).slice(0, 16)}:30Z`));
  const [left] = await mailroom.messages(inbox, 1, client);
  expect(left!.subject).toBe('New');
  await mailroom.eventually(async () => {
    expect(told(inbox)).toMatchObject([{ event_type: 'message.deleted', message_id: old!.message_id }]);
    const after = await mailroom.objects(`${organization_id}/`);
    expect(before.filter((name) => !after.includes(name)).length).toBeGreaterThanOrEqual(2);
  });
  const uid = (await dueRows('retain-mail'))[0]!['work'].uid as string;
  expect(await client.inboxes.get(inbox)).toMatchObject({ retention_days: 2, stored_bytes: left!.size });
  expect(await lines('messages.retain')).toMatchObject([
    { principal: { kind: 'system' }, inbox_uid: uid, resources: [old!.message_id, old!.thread_id] },
  ]);
  await client.inboxes.delete(inbox);
});

describe('room', () => {
  it('of an inbox is counted, warned of, and at its end mail is refused, told and undeliverable', async () => {
    const inbox = await mailroom.inbox(client, 'narrow');
    await mailroom.send({ to: inbox, subject: 'First' });
    const { size } = (await mailroom.messages(inbox, 1, client))[0]!;
    expect(await client.inboxes.get(inbox)).toMatchObject({ stored_bytes: size });
    await client.inboxes.update(inbox, { storage_limit: Math.floor(2.4 * size) });
    await mailroom.send({ to: inbox, subject: 'Second' });
    await mailroom.messages(inbox, 2, client);
    await mailroom.send({ to: inbox, subject: 'Third' });
    await mailroom.eventually(() =>
      expect(told(inbox).map(({ event_type }) => event_type)).toEqual([
        'inbox.storage_warning',
        'message.refused',
      ]),
    );
    expect(told(inbox)[1]).toMatchObject({ subject: 'Third', reason: 'storage_limit' });
    await mailroom.eventually(async () => {
      const { undeliverable } = await mailroom.operator.undeliverable.list();
      expect(undeliverable.filter(({ recipient }) => recipient === inbox)).toMatchObject([
        { subject: 'Third', reason: 'storage_limit' },
      ]);
    });
    const [newest] = await mailroom.messages(inbox, 2, client);
    await client.inboxes.messages.delete(inbox, newest!.message_id);
    await mailroom.send({ to: inbox, subject: 'Fourth' });
    await mailroom.messages(inbox, 2, client);
    await mailroom.quiet();
    await client.inboxes.delete(inbox);
  });

  it('of an organization is measured every few minutes, and at its end mail is refused in all of it', async () => {
    const inbox = await mailroom.inbox(client, 'wide');
    await mailroom.send({ to: inbox, subject: 'First' });
    await mailroom.messages(inbox, 1, client);
    await mailroom.operator.organizations.update(organization_id, { storage_limit: 100 });
    await mailroom.eventually(async () => {
      expect(await client.organizations.get()).toMatchObject({ storage_state: 'full', storage_limit: 100 });
    });
    await mailroom.send({ to: inbox, subject: 'Second' });
    await mailroom.eventually(() => {
      expect(told(inbox).map(({ event_type }) => event_type)).toEqual(['message.refused']);
      expect(endpoint.heard).toContainEqual(
        expect.objectContaining({ event_type: 'organization.storage_warning', storage_limit: 100 }),
      );
    });
    await mailroom.operator.organizations.update(organization_id, { storage_limit: null });
    await mailroom.send({ to: inbox, subject: 'Third' });
    await mailroom.messages(inbox, 2, client);
    expect(await client.organizations.get()).not.toHaveProperty('storage_state');
    await client.inboxes.delete(inbox);
  });
});

// Last, since the removal of many inboxes is work for the machine that nobody waits for here.
describe('a fleet', () => {
  it('is made in one call, each inbox with its own outcome; a replay and a repeat make nothing more', async () => {
    const key = await mailroom.key(undefined, organization_id);
    const inboxes = Array.from({ length: 20 }, (_, n) => ({
      username: n === 7 ? 'post master!' : `fleet-${n === 12 ? 3 : n}`,
      ...(n === 19 && { credential: { type: 'generate' } }),
    }));
    const sent: [string, RequestInit][] = [];
    const signed = createSigningFetch(key, {
      now,
      fetch: (input, init) => {
        sent.push([String(input), init!]);
        return fetch(input, init);
      },
    });
    const call = () =>
      signed(`${mailroom.cloud.api}/v0/inboxes/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'fleet-1' },
        body: JSON.stringify({ inboxes }),
      });
    let first = await call();
    while (first.status >= 500 || first.status === 429) first = await call();
    expect(first.status).toBe(200);
    const body = (await first.json()) as Awaited<ReturnType<Client['inboxes']['batchCreate']>>;
    const refused = body.results.filter(({ error }) => error !== undefined);
    expect(refused.map(({ index, error }) => [index, error!.code])).toEqual([
      [7, 'validation_error'],
      [12, 'already_exists'],
    ]);
    expect(body.results.map(({ index }) => index)).toEqual(inboxes.map((_, n) => n));
    expect(body.results[19]!.inbox?.credential).toHaveProperty('private_jwk');
    expect(body.dns?.length).toBeGreaterThan(0);

    const replayed = await fetch(...sent.at(-1)!);
    expect([replayed.status, await replayed.json()]).toMatchObject([401, { code: 'nonce_used' }]);
    const repeated = await call();
    expect([repeated.status, repeated.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(await client.organizations.get()).toMatchObject({ inbox_count: 18 });
    const made = await lines('inboxes.batchCreate');
    expect(
      made.filter(({ outcome }) => outcome === 'allowed').flatMap(({ resources }) => resources),
    ).toHaveLength(19);
    expect(
      made.filter(({ outcome, code }) => outcome === 'failed' && code === 'validation_error'),
    ).toHaveLength(1);
    await mailroom.eventually(async () => {
      const { inboxes: listed } = await client.inboxes.list({ limit: 100 });
      expect(listed).toHaveLength(18);
    });
  });

  it('is taken down in one call; what is not there, or another’s, is 404 in its place', async () => {
    const other = await mailroom.organization();
    const stranger = await mailroom.inbox(other.client, 'stranger');
    const ids = [...Array.from({ length: 20 }, (_, n) => `fleet-${n}@posthorn.test`), stranger];
    const outcomes = new Map<string, string>();
    // On a slow machine not all are tried in one call, and that is said.
    for (let left = ids; left.length > 0;) {
      const { results } = await client.inboxes.batchDelete({ inbox_ids: left });
      expect(results.map(({ inbox_id }) => inbox_id)).toEqual(left);
      for (const { inbox_id, deleted, error } of results)
        outcomes.set(inbox_id, deleted ? 'deleted' : error!.code);
      left = left.filter((id) => outcomes.get(id) === 'service_unavailable');
    }
    const missing = [ids[7], ids[12], stranger];
    expect([...outcomes]).toEqual(ids.map((id) => [id, missing.includes(id) ? 'not_found' : 'deleted']));
    expect(await client.organizations.get()).toMatchObject({ inbox_count: 0 });
    expect(await other.client.inboxes.get(stranger)).toMatchObject({ inbox_id: stranger });
    const taken = await lines('inboxes.batchDelete');
    expect(
      new Set(taken.flatMap(({ outcome, inbox_uid }) => (outcome === 'allowed' ? [inbox_uid] : []))).size,
    ).toBe(18);
  });
});
