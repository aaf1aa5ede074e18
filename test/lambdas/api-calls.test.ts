import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import type { TestKey } from '../edge/key-fixture.ts';
import { apiHouse, type ApiHouse } from '../support/api-house.ts';
import { newDeed, organizationId } from '../support/mail-samples.ts';

let api: ApiHouse;
let key: TestKey;
let at: string;
let message: string;
beforeEach(async () => {
  api = await apiHouse();
  key = await api.keyOf();
  at = `/v0/inboxes/${encodeURIComponent(api.house.inbox.inbox_id)}`;
  await api.house.arrive();
  const [row] = (await api.house.inside()).messages;
  message = `${at}/messages/${String(row!['message_id'])}`;
});
afterEach(() => api.close());

const json = (value: object) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
const read = (path: string) => ({ path });
const rename = (display_name: string) => ({ method: 'PATCH', path: at, ...json({ display_name }) });
/** The names of the table calls of a call that has to succeed. */
async function callsOf(sent: Parameters<ApiHouse['call']>[1], as = key): Promise<string[]> {
  const { statusCode, calls } = await api.call(as, sent);
  expect(statusCode).toBe(200);
  return calls.map(({ action }) => action).toSorted();
}

describe('table calls of a signed request, on an instance that knows its key', () => {
  it('are one for a plain read', async () => {
    await callsOf(read(at));
    expect(await callsOf(read(at))).toEqual(['GetItem']);
  });

  it('are one for a read of mail, beside its line in the ledger', async () => {
    await callsOf(read(message));
    expect(await callsOf(read(message))).toEqual(['BatchGetItem', 'PutItem']);
  });

  it('are one for a change’s own check of its key, beside its reads and its one transaction', async () => {
    await callsOf(rename('Ada'));
    const { calls } = await api.call(key, rename('Grace'));
    // Who calls, always read anew; what is to be changed; the change with its line and its nonce.
    expect(calls.map(({ action }) => action)).toEqual(['BatchGetItem', 'GetItem', 'TransactWriteItems']);
  });

  it('are one more each five seconds of reads', async () => {
    await callsOf(read(at));
    vi.setSystemTime(Date.now() + 4999);
    expect(await callsOf(read(at))).toEqual(['GetItem']);
    vi.setSystemTime(Date.now() + 1);
    expect(await callsOf(read(at))).toEqual(['BatchGetItem', 'GetItem']);
  });

  it('are two more each hundred requests of the usual limits, for what both buckets may spend', async () => {
    const all: string[] = [];
    for (let n = 0; n < 101; n++) all.push(...(await callsOf(read(at))));
    expect(all.filter((action) => action === 'GetItem')).toHaveLength(101);
    // The first also notes that the key is in use.
    expect(all.filter((action) => action === 'UpdateItem')).toHaveLength(1 + 2 + 2);
  });
});

describe('table calls of the first request', () => {
  it('are two look-ups, the note of its use and two leases more', async () => {
    expect(await callsOf(read(at))).toEqual([
      ...['BatchGetItem', 'BatchGetItem', 'GetItem'],
      ...['UpdateItem', 'UpdateItem', 'UpdateItem'],
    ]);
  });

  it('are fewer for the next key of the organization, whose bucket is leased', async () => {
    await callsOf(read(at));
    expect(await callsOf(read(at), await api.keyOf())).toEqual([
      ...['BatchGetItem', 'BatchGetItem', 'GetItem', 'UpdateItem', 'UpdateItem'],
    ]);
  });

  it('stop at the look-ups where the organization is suspended', async () => {
    await organizationStore(api.house.database).update(organizationId, { state: 'suspended' }, newDeed());
    const { statusCode, calls } = await api.call(key, read(at));
    expect(statusCode).toBe(403);
    expect(calls.map(({ action }) => action)).toEqual(['BatchGetItem', 'BatchGetItem']);
  });
});
