import { afterAll, beforeAll, expect, it } from 'vitest';
import { archiveRow } from '../../lib/adapters/dynamo/archive-rows.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { podStore } from '../../lib/adapters/dynamo/pod-store.ts';
import { transact } from '../../lib/adapters/dynamo/transaction.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import { newArchive } from '../../lib/core/archives.ts';
import { attachmentId } from '../../lib/core/message-id.ts';
import type { RouteName } from '../../lib/contract/routes.ts';
import type { TestKey } from '../edge/key-fixture.ts';
import { names, requestOf, routeOf } from '../edge/matrix-scene.ts';
import { apiHouse, type ApiHouse } from '../support/api-house.ts';
import { inboxRef, mailDomain, newDeed, organizationId } from '../support/mail-samples.ts';
import { settle } from '../support/table-house.ts';

/** What path parameters may be called in one place. */
type Names = Record<string, string>;

const time = '2026-01-01T00:00:00.000Z';
const otherOrganization = 'org_01k0000000000000000000000b';
let api: ApiHouse;
/** An inbox each, with a mail, a thread, an attachment and a key: in the pod, beside it, in another pod, elsewhere. */
let grace: Names, hedy: Names, alan: Names, eve: Names;
let callers: Record<'organization' | 'pod' | 'inbox', TestKey>;
/** As ids look, of nothing. */
const nobody: Names = {
  pod_id: 'pod_01k000000000000000000000zz',
  inbox_id: `nobody@${mailDomain}`,
  inbox_uid: 'inb_01k000000000000000000000zz',
  message_id: 'msg_01k000000000000000000000zz',
  thread_id: 'thr_01k000000000000000000000zz',
  attachment_id: attachmentId('msg_01k000000000000000000000zz', 1),
  api_key_id: 'key_01k000000000000000000000zz',
  webhook_id: 'wh_01k000000000000000000000zz',
  archive_id: 'arc_01k000000000000000000000zz',
  delivery_id: 'dlv_01k000000000000000000000zz',
};

beforeAll(async () => {
  api = await apiHouse();
  const { house } = api.house;
  await settle(house, otherOrganization);
  for (const [organization_id, pod_id] of [
    [organizationId, 'pod_a'],
    [organizationId, 'pod_b'],
    [otherOrganization, 'pod_x'],
  ] as const)
    await podStore(house.database).create(
      { organization_id, pod_id, name: pod_id, updated_at: time, created_at: time },
      newDeed(),
    );
  grace = await furnished({ ...inboxRef('grace'), pod_id: 'pod_a' });
  hedy = await furnished({ ...inboxRef('hedy'), pod_id: 'pod_a' });
  alan = await furnished({ ...inboxRef('alan'), pod_id: 'pod_b' });
  eve = await furnished({ ...inboxRef('eve', otherOrganization), pod_id: 'pod_x' });
  const inbox = { uid: grace['inbox_uid']!, inbox_id: grace['inbox_id']! };
  callers = {
    organization: await api.keyOf(),
    pod: await api.keyOf({ pod_id: 'pod_a' }),
    inbox: await api.keyOf({ pod_id: 'pod_a', inbox }),
  };
});
afterAll(() => api.close());

/** An inbox with something of everything in it, and what it is all called. */
async function furnished(inbox: InboxRef): Promise<Names> {
  const { organization_id, pod_id, inbox_id, uid } = inbox;
  const stored = { ...inbox, email: inbox_id, created_at: time, updated_at: time };
  const webhook = {
    ...{ webhook_id: `wh_${uid.slice(4)}`, organization_id, inbox_ids: [inbox_id], secret: 'whsec_x' },
    event_types: ['message.received' as const],
    ...{ url: 'https://hooks.example.com/', enabled: true, created_at: time, updated_at: time },
  };
  expect(await inboxStore(api.house.database).provision({ inbox: stored, webhook })).toBe('created');
  const gone = newArchive(stored, `arc_01k0000000000000000000000${uid.at(-1)}`, time);
  await transact<never>(api.house.database, [{ put: archiveRow(gone) }]);
  const attachments = [{ filename: 'a.txt', size: 3, path: '/dev/null' }];
  await api.house.arrive({ to: [inbox_id], subject: uid, attachments }, { recipients: [inbox_id] });
  const [message] = (await api.house.rows()).filter(
    (row) => row['uid'] === uid && String(row['sk']).startsWith('M#'),
  );
  const { credential } = await api.keyOf({ organization_id, pod_id, inbox: { uid, inbox_id } });
  return {
    ...{ organization_id, pod_id, inbox_id, inbox_uid: uid, api_key_id: credential.api_key_id },
    archive_id: gone.archive_id,
    ...{ webhook_id: webhook.webhook_id, delivery_id: `dlv_${uid.slice(4)}` },
    message_id: message!['message_id'] as string,
    thread_id: message!['thread_id'] as string,
    attachment_id: message!['attachments'][0].attachment_id as string,
  };
}

interface Told {
  statusCode: number | undefined;
  body: string | undefined;
  calls: string[];
}
/** What a call was answered, and what it asked of the table and at what price. */
async function told(key: TestKey, name: RouteName, params: Names): Promise<Told> {
  const { path } = routeOf(name);
  const { url: _, ...request } = requestOf(name);
  const { statusCode, body, calls } = await api.call(key, {
    ...request,
    path: path.replace(/\{(\w+)\}/g, (_whole, param: string) => encodeURIComponent(params[param]!)),
  });
  // The rate buckets are leased for a hundred calls at a time, whatever they are about.
  const counted = calls.filter(({ action }) => action !== 'UpdateItem');
  return {
    statusCode,
    body: body?.replace(/"request_id":"[^"]*"/, ''),
    calls: counted.map((call) => JSON.stringify(call)).toSorted(),
  };
}

const paramsOf = (name: RouteName): string[] =>
  [...routeOf(name).path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param!);
const withIds = names.filter((name) => routeOf(name).auth === 'signed' && paramsOf(name).length > 0);

it('knows what stands for each id in a path', () => {
  expect(withIds.flatMap(paramsOf).filter((param) => !(param in nobody))).toEqual([]);
});

/** The inbox named by its uid instead of its address. */
const byUid = (names: Names): Names => ({ ...names, inbox_id: names['inbox_uid']! });

it.each([
  ['organization', 'another organization', () => eve],
  ['pod', 'another pod', () => alan],
  ['inbox', 'another inbox of the pod', () => hedy],
  ['inbox', 'another organization', () => eve],
] as const)('to a key of one %s what is in %s is not there, and costs the same', async (level, _, other) => {
  const key = callers[level];
  // What an instance learns of a key in its first calls.
  for (const name of ['inboxes.get', 'inboxes.update'] as const) await told(key, name, grace);
  const before = (await api.house.inside()).all.filter(({ sk }) =>
    /^(M#|T#|INBOX|KEY|POD#)/.test(String(sk)),
  );
  const differ: unknown[] = [];
  const found: unknown[] = [];
  for (const name of withIds) {
    const params = paramsOf(name);
    for (let from = 0; from < params.length; from++) {
      // A key knows the pod it is in.
      if (other()[params[from]!] === grace[params[from]!]) continue;
      const mixed = (rest: Names): Names => ({
        ...grace,
        ...Object.fromEntries(params.slice(from).map((param) => [param, rest[param]!])),
      });
      const spellings =
        routeOf(name).method === 'GET' && params.slice(from).includes('inbox_id')
          ? [(one: Names) => one, byUid]
          : [(one: Names) => one];
      for (const spelt of spellings) {
        const [missing, foreign] = [mixed(spelt(nobody)), mixed(spelt(other()))];
        const at = `${name} from ${params[from]}${spelt === byUid ? ' by uid' : ''}`;
        // From its first call on the instance remembers of what lies in scope all it ever will; nothing of the rest.
        const { statusCode } = await told(key, name, foreign);
        if (statusCode !== 404) found.push({ at, statusCode });
        const answers = [await told(key, name, missing), await told(key, name, foreign)];
        if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) differ.push({ at, answers });
      }
    }
  }
  expect(differ).toEqual([]);
  expect(found).toEqual([]);
  const after = (await api.house.inside()).all.filter(({ sk }) => /^(M#|T#|INBOX|KEY|POD#)/.test(String(sk)));
  expect(after).toEqual(before);
});
