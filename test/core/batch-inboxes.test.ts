import { beforeEach, describe, expect, it } from 'vitest';
import type { Deed } from '../../lib/contract/call.ts';
import { batchCreateInboxes as schema } from '../../lib/contract/inbox-batch.ts';
import type { Line } from '../../lib/contract/ledger.ts';
import type { KeyPrincipal } from '../../lib/contract/principal.ts';
import { Problem } from '../../lib/contract/problem.ts';
import { batchCreateInboxes, batchDeleteInboxes } from '../../lib/core/batch-inboxes.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { inboxRef, keyPrincipal, mailDomain, newDeed } from '../support/mail-samples.ts';
import { address, counting, keys, MemoryInboxes } from '../support/memory-ports.ts';
import { storedInbox } from '../support/table-house.ts';

let inboxes: MemoryInboxes;
let time: number;
let settled: Deed[];
let reported: unknown[];
let asked: number;
beforeEach(() => {
  [inboxes, time, settled, reported, asked] = [
    new MemoryInboxes(),
    Date.parse('2026-02-01T12:00:00Z'),
    [],
    [],
    0,
  ];
});
const batching = () => ({
  inboxes,
  now: () => time,
  ulid: counting(),
  settle: async (deed: Deed) => {
    if (deed.once?.key === 'spent') throw new Problem('nonce_used', 'used before');
    settled.push(structuredClone(deed));
  },
  report: (error: unknown) => void reported.push(error),
});
const deedOf = (action: string, key = 'fresh') =>
  newDeed({ once: { key, expires: 1 }, line: { ...sampleLine(1), action, resources: [] } });

const create = (
  items: object[],
  principal: KeyPrincipal = keyPrincipal(),
  deed = deedOf('inboxes.batchCreate'),
) =>
  batchCreateInboxes({
    ...batching(),
    ...{ keys, mailDomain, randomSecret: () => '', allowLoopbackWebhooks: false, expiryNoticeMinutes: 60 },
    randomUsername: () => 'brisk-otter',
    checkDns: async () => {
      asked++;
      return [];
    },
  })({
    ...{ principal, scope: principal.scope, deed, path: {}, query: undefined },
    body: schema.parse({ inboxes: items }),
  });
const remove = (
  inbox_ids: string[],
  principal: KeyPrincipal = keyPrincipal(),
  deed = deedOf('inboxes.batchDelete'),
) =>
  batchDeleteInboxes({ ...batching(), quarantineDays: 30 })({
    ...{ principal, scope: principal.scope, deed, path: {}, query: undefined },
    body: { inbox_ids },
  });
const lineOf = ({ line }: Deed): Line => line!;
const code = (one: { error?: { code: string } | undefined }) => one.error?.code;

describe('a batch of creates', () => {
  it('answers each in its place, as a call of its own would be answered', async () => {
    const { results } = await create([
      { username: 'ada', client_id: 'a' },
      { username: 'no spaces' },
      { client_id: 'a', username: 'other' },
      { username: 'Ada' },
      { metadata: { a: {} } },
      { domain: 'elsewhere.test' },
      { username: 'grace', credential: { type: 'generate' }, expires_at: '2026-02-01T13:00:00Z' },
      { expires_at: '2026-01-01T00:00:00Z' },
    ]);
    expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(results.map(code)).toEqual([
      ...[undefined, 'validation_error', undefined, 'already_exists', 'validation_error', 'not_found'],
      ...[undefined, 'validation_error'],
    ]);
    expect(results.map(({ inbox }) => inbox?.inbox_id)).toEqual([
      ...[address('ada'), undefined, address('ada'), undefined, undefined, undefined],
      ...[address('grace'), undefined],
    ]);
    expect(results[6]?.inbox?.credential).toHaveProperty('private_jwk');
    expect(results[4]?.error).toMatchObject({
      ...{ name: 'ValidationError', fix: expect.any(String) },
      errors: [expect.objectContaining({ path: ['metadata', 'a'] })],
    });
    expect(results[3]?.error?.suggestions).toContain('ada2');
    expect(inboxes.provisions).toHaveLength(2);
    expect(asked).toBe(1);
  });

  it('spends what the call spends before the first, and leaves one line for each, with what it made or why not', async () => {
    const deed = deedOf('inboxes.batchCreate');
    deed.reservation = { organization_id: 'org_1', key: 'k', owner: 'o' };
    await create([{ username: 'ada' }, { username: '!' }, { username: 'bob' }], keyPrincipal(), deed);
    expect(deed.written).toBe(true);
    const [spent, ...refused] = settled;
    expect(spent).toEqual({ once: deed.once, reservation: deed.reservation, written: false });
    const made = inboxes.provisions.map((one) => lineOf(one.deed!));
    expect(made.map(({ resources }) => resources)).toEqual(
      inboxes.provisions.map(({ inbox }) => [inbox.uid]),
    );
    expect(refused.map(lineOf)).toMatchObject([
      { action: 'inboxes.batchCreate', outcome: 'failed', code: 'validation_error', resources: [] },
    ]);
    const ids = [...made, ...refused.map(lineOf)].map(({ line_id }) => line_id);
    expect(new Set(ids).size).toBe(3);
    for (const { deed: own } of inboxes.provisions) expect(own).not.toHaveProperty('once');
  });

  it('that is replayed makes nothing', async () => {
    await expect(create([{ username: 'ada' }], keyPrincipal(), deedOf('x', 'spent'))).rejects.toMatchObject({
      code: 'nonce_used',
    });
    expect(inboxes.rows.size).toBe(0);
  });

  it('asks for the permissions that each needs', async () => {
    const modest = keyPrincipal({ permissions: { inbox_create: true } });
    const { results } = await create([{ credential: { type: 'generate' } }, { username: 'ada' }], modest);
    expect(results.map(code)).toEqual(['missing_permission', undefined]);
  });

  it('stops where something breaks, or time runs out, and says which were not tried', async () => {
    const provision = inboxes.provision.bind(inboxes);
    inboxes.provision = async (one) => {
      if (one.inbox.inbox_id === address('bad')) throw new Error('the table is gone');
      time += 11_000;
      return provision(one);
    };
    const named = (...names: string[]) => names.map((username) => ({ username }));
    const broken = await create(named('ada', 'bad', 'eve'));
    expect(broken.results.map(code)).toEqual([undefined, 'internal_error', 'service_unavailable']);
    expect(broken.results[1]?.error?.message).not.toContain('table');
    expect(reported).toEqual([new Error('the table is gone')]);
    const slow = await create(named('bob', 'carl', 'dave'));
    expect(slow.results.map(code)).toEqual([undefined, undefined, 'service_unavailable']);
  });

  it.each([[], Array.from({ length: 101 }, () => ({})), ['a'], [null], [[]]])(
    'is 1 to 100 objects: %#',
    (...items) => {
      expect(schema.safeParse({ inboxes: items.length === 1 ? items[0] : items }).success).toBe(false);
    },
  );
});

describe('a batch of deletes', () => {
  const add = (name: string, more = {}) => {
    const inbox = { ...storedInbox(name), ...more };
    inboxes.rows.set(inbox.uid, inbox);
    inboxes.add(inbox);
    return inbox;
  };
  it('takes down what is there and in scope, by any name, each with a line of its own', async () => {
    const [ada, bob] = [add('ada'), add('bob')];
    add('eve', { pod_id: 'pod_other' });
    inboxes.add(inboxRef('eve', 'org_other'), address('stranger'));
    const pod = keyPrincipal({ scope: { organization_id: ada.organization_id, pod_id: ada.pod_id } });
    const names = [
      ada.uid,
      bob.inbox_id.toUpperCase(),
      address('nobody'),
      'inb_eve',
      address('stranger'),
      ada.uid,
    ];
    const { results } = await remove(names, pod);
    expect(results.map(({ index, inbox_id, deleted }) => [index, inbox_id, deleted])).toEqual(
      names.map((name, index) => [index, name, index < 2]),
    );
    expect(results.map(code).slice(2)).toEqual(Array.from({ length: 4 }, () => 'not_found'));
    expect(inboxes.taken.map(({ inbox }) => inbox.uid)).toEqual([ada.uid, bob.uid]);
    expect(inboxes.taken.map(({ deed }) => lineOf(deed!))).toMatchObject([
      { action: 'inboxes.batchDelete', inbox_uid: ada.uid, outcome: 'allowed' },
      { action: 'inboxes.batchDelete', inbox_uid: bob.uid, outcome: 'allowed' },
    ]);
    expect(
      settled
        .slice(1)
        .map(lineOf)
        .map(({ outcome }) => outcome),
    ).toEqual(Array.from({ length: 4 }, () => 'denied'));
  });
});
