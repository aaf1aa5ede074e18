import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiKeyStore } from '../../../lib/adapters/dynamo/api-key-store.ts';
import { dueStore } from '../../../lib/adapters/dynamo/due-store.ts';
import { directory } from '../../../lib/adapters/dynamo/directory.ts';
import { eventLog } from '../../../lib/adapters/dynamo/event-log.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { lookupPrefixes } from '../../../lib/adapters/dynamo/keys.ts';
import { settleDeed } from '../../../lib/adapters/dynamo/deed.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { reservations } from '../../../lib/adapters/dynamo/reservations.ts';
import { settingsStore } from '../../../lib/adapters/dynamo/settings-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { pageTokens } from '../../../lib/adapters/dynamo/page-tokens.ts';
import { table } from '../../../lib/adapters/dynamo/table.ts';
import { undeliverableStore } from '../../../lib/adapters/dynamo/undeliverable-store.ts';
import { webhookDeliveryLog } from '../../../lib/adapters/dynamo/webhook-delivery-log.ts';
import { webhookStore } from '../../../lib/adapters/dynamo/webhook-store.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import type { LoggedEvent } from '../../../lib/core/publish-event.ts';
import { continueDelete, continueLabels } from '../../../lib/core/background-threads.ts';
import { deleteThread, updateThread } from '../../../lib/core/change-threads.ts';
import { deleteMessage } from '../../../lib/core/delete-message.ts';
import { issueCredential } from '../../../lib/core/issue-credential.ts';
import { keys } from '../../../lib/adapters/keys.ts';
import { listMessages, getMessage } from '../../../lib/core/read-messages.ts';
import { listThreads } from '../../../lib/core/list-threads.ts';
import { getThread } from '../../../lib/core/read-threads.ts';
import { updateMessage } from '../../../lib/core/update-messages.ts';
import { callIn, mailDomain, newDeed, organizationId } from '../../support/mail-samples.ts';
import { sampleLine } from '../../support/ledger-samples.ts';
import { address } from '../../support/memory-ports.ts';
import { mailroomHouse, type MailroomHouse } from '../../support/mailroom-house.ts';
import { sampleWebhook } from '../../support/memory-webhooks.ts';
import { storedInbox } from '../../support/table-house.ts';

let house: MailroomHouse;
beforeAll(async () => {
  house = await mailroomHouse();
  await everything(house);
});
afterAll(() => house.close());

/** Every store once, and a bit of everything a mailroom does. */
async function everything({ database, mailbox, objects, inbox, now, arrive }: MailroomHouse): Promise<void> {
  const tokens = pageTokens(database);
  const deps = { mailbox, objects, tokens, now, ulid: newUlid };
  const call = { ...callIn(inbox), query: {}, body: undefined };
  const change = { ...call, query: undefined };
  const [path, noPath] = [{ inbox_id: inbox.inbox_id }, {}];
  const { credential } = issueCredential(
    { keys, ulid: newUlid },
    { type: 'generate' },
    { organization_id: organizationId },
    { created_at: '2026-01-01T00:00:00.000Z' },
  );
  await apiKeyStore(database).add(credential);
  await organizationStore(database).list({ limit: 5, ascending: true });
  await directory(database, now).lookUp({ keyid: credential.keyid, inbox: inbox.inbox_id });
  await directory(database, now).touch({ keyid: credential.keyid }, new Date(now()).toISOString());
  const hold = { organization_id: organizationId, key: 'k', owner: 'o' };
  await reservations(database, now).reserve(hold, 'fingerprint');
  await settleDeed(database)(
    newDeed({ once: { key: 'n', expires: 2_000_000_000 }, line: sampleLine(1), reservation: hold }),
  );
  await settleDeed(database)(newDeed({ line: sampleLine(2) }));
  await settingsStore(database).update({ sending: 'on' }, newDeed());
  const pod = {
    organization_id: organizationId,
    pod_id: 'pod_a',
    name: 'A',
    updated_at: 'x',
    created_at: 'x',
  };
  await podStore(database).create(pod, newDeed());
  const grace = storedInbox('grace');
  const hook = { pod_id: 'pod_a', inbox: { uid: grace.uid, inbox_id: grace.inbox_id }, client_id: 'h' };
  const webhook = sampleWebhook(1, hook);
  await inboxStore(database).provision({
    inbox: { ...storedInbox('grace'), client_id: 'c', pod_id: 'pod_a' },
    webhook,
    deed: newDeed({ once: { key: 'm', expires: 2_000_000_000 } }),
  });
  const hooks = webhookStore(database);
  const place = { organization_id: organizationId, pod_id: 'pod_a' };
  const held = { inbox: { ...hook.inbox, ...place } };
  for (const n of [2, 3]) await hooks.create(sampleWebhook(n, { ...hook, client_id: `h${n}` }), newDeed());
  await hooks.create(sampleWebhook(4, { pod_id: 'pod_a' }), newDeed());
  for (const scope of [place, { ...place, ...held }]) await hooks.list(scope, { limit: 5, ascending: false });
  await hooks.hearing({ organization_id: organizationId, inbox: held.inbox });
  await hooks.update({ ...webhook, enabled: false }, webhook.updated_at);
  await hooks.delete(webhook);
  await webhookDeliveryLog(database, now).list(organizationId, 'wh_1', { limit: 5, ascending: false });
  await webhookDeliveryLog(database, now).again(organizationId, 'wh_1', 'none');
  await inboxStore(database).list(
    { organization_id: organizationId, pod_id: 'pod_a' },
    { limit: 5, ascending: false },
  );
  await inboxStore(database).update({ ...storedInbox(), display_name: 'New' }, storedInbox().updated_at);
  for (let n = 0; n < 25; n++)
    await arrive(
      { message_id: `<${n}@b>`, in_reply_to: '<0@b>', text: `Hello ${n}` },
      { recipients: [inbox.inbox_id, address('nobody'), `postmaster@${mailDomain}`] },
    );
  await arrive({ message_id: '<1@b>', in_reply_to: '<0@b>', text: 'Hello 1' });
  await arrive({ message_id: '<other@b>' });
  const { messages: rows, events } = await house.inside();
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const thread = { ...path, thread_id: String(first['thread_id']) };
  const one = { ...path, message_id: String(last['message_id']) };
  await updateMessage(deps)({ ...change, path: one, body: { add: ['spam', 'a'], remove: [] } });
  await updateThread(deps)({ ...change, path: thread, body: { add: ['todo'], remove: [] } });
  await listMessages(deps)({
    ...call,
    path,
    query: { limit: 5, labels: ['todo', 'unread'], include_spam: true },
  });
  await listMessages(deps)({ ...call, path, query: { limit: 1 } });
  await listThreads(deps)({ ...call, path });
  await listThreads(deps)({ ...call, scope: { organization_id: organizationId }, path: noPath });
  await getThread(deps)({ ...call, path: thread });
  await getMessage(deps)({ ...call, path: one, query: undefined });
  const [due0] = (await house.rows()).filter(({ pk }) => String(pk).startsWith('DUE#'));
  await continueLabels(
    { ...deps, inboxes: inboxStore(database), due: dueStore(database, now) },
    due0!['work'] as Parameters<typeof continueLabels>[1],
  );
  await deleteMessage(deps)({ ...change, path: one });
  await deleteThread(deps)({ ...change, path: thread });
  await continueDelete(
    { ...deps, inboxes: inboxStore(database), due: dueStore(database, now) },
    { kind: 'delete-thread', inbox, thread_id: thread.thread_id },
    async () => undefined,
  );
  const log = eventLog(database, now);
  await log.places([events[0] as LoggedEvent]);
  await log.settle([events[0] as LoggedEvent]);
  const due = dueStore(database, () => now() + 5 * 60_000);
  let at = 0;
  for (const lane of due.lanes())
    for await (const { id } of lane) await (at++ % 2 === 0 ? due.done(id) : due.putOff(id));
  expect(at).toBeGreaterThan(1);
  await undeliverableStore(database, now).list({ limit: 3, ascending: false });
}

/** Every partition key in a request, of the table and of its indexes. */
function partitionKeys(input: unknown, name = ''): string[] {
  if (Array.isArray(input)) return input.flatMap((one) => partitionKeys(one, name));
  if (typeof input === 'object' && input !== null)
    return Object.entries(input).flatMap(([inner, value]) => partitionKeys(value, inner));
  const isKey = [
    table.partitionKey,
    table.byPod.partitionKey,
    table.byOrganization.partitionKey,
    ':pk',
  ].includes(name);
  return isKey && typeof input === 'string' && !input.startsWith(':') ? [input] : [];
}
const fenced = (pk: string): boolean =>
  /^O#(org_\w+)(#|$)/.test(pk) || lookupPrefixes.some((prefix) => pk.startsWith(prefix));

describe('every partition key', () => {
  it('begins with an organization, or stands on the closed list', async () => {
    const asked = house.sent.flatMap(({ input }) => partitionKeys(input));
    expect(asked.length).toBeGreaterThan(1000);
    expect(asked.filter((pk) => !fenced(pk))).toEqual([]);
    const rows = await house.rows();
    const stored = rows.flatMap((row) =>
      [table.partitionKey, table.byPod.partitionKey, table.byOrganization.partitionKey].flatMap((name) =>
        row[name] === undefined ? [] : [String(row[name])],
      ),
    );
    expect(stored.filter((pk) => !fenced(pk))).toEqual([]);
  });

  it('is of each kind on the list, so that the list is no longer than needed', () => {
    const asked = new Set(house.sent.flatMap(({ input }) => partitionKeys(input)));
    for (const prefix of lookupPrefixes)
      expect([prefix, [...asked].some((pk) => pk.startsWith(prefix))]).toEqual([prefix, true]);
  });

  it('names the organization of its row', async () => {
    const rows = (await house.rows()).filter(({ pk }) => String(pk).startsWith('O#'));
    expect(
      rows.filter(
        ({ pk, organization_id }) =>
          organization_id !== undefined && !String(pk).startsWith(`O#${String(organization_id)}`),
      ),
    ).toEqual([]);
  });
});

it('every row carries the version of its schema', async () => {
  expect((await house.rows()).filter(({ v }) => v !== 1)).toEqual([]);
});

it('nothing scans', () => {
  expect(new Set(house.sent.map(({ name }) => name))).toEqual(
    new Set(['TransactWrite', 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem', 'DeleteItem']),
  );
});
