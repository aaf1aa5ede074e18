import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../lib/adapters/dynamo/client.ts';
import { settleDeed, transactDeed } from '../../../lib/adapters/dynamo/deed.ts';
import { idempotencyKey, lineKey, nonceKey, type Key } from '../../../lib/adapters/dynamo/keys.ts';
import { reservations } from '../../../lib/adapters/dynamo/reservations.ts';
import type { Write } from '../../../lib/adapters/dynamo/transaction.ts';
import type { Deed } from '../../../lib/contract/call.ts';
import { deedRows } from '../../../lib/contract/call.ts';
import type { Line } from '../../../lib/contract/ledger.ts';
import { sampleLine } from '../../support/ledger-samples.ts';
import { newDeed, organizationId } from '../../support/mail-samples.ts';
import { clientSettings } from '../../support/service-endpoint.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let serial = 0;
let settle: (deed: Deed) => Promise<void>;
beforeAll(async () => {
  house = await tableHouse();
  settle = settleDeed(house.database);
});
afterAll(() => house.close());
beforeEach(() => house.forget());

type Whole = Deed & Required<Pick<Deed, 'once' | 'line' | 'reservation'>>;

/** Everything a call can leave behind, its Idempotency-Key held as the edge holds it. */
async function wholeDeed(more: Partial<Deed> = {}): Promise<Whole> {
  const n = ++serial;
  const reservation = { organization_id: organizationId, key: `call-${n}`, owner: 'me' };
  await reservations(house.database, house.now).reserve(reservation, 'print');
  house.forget();
  const once = { key: `nonce-${n}`, expires: Math.floor(house.now() / 1000) + 600 };
  return { ...newDeed(), once, line: sampleLine(n), reservation, ...more };
}
const changeKey = (n: number): Key => ({ pk: `O#${organizationId}#X#${n}`, sk: 'X' });
const change = (n: number): Write<'taken'> => ({
  put: changeKey(n),
  condition: 'attribute_not_exists(pk)',
  otherwise: 'taken',
});
const row = async ({ pk, sk }: Key) =>
  (await house.rows()).find((one) => one['pk'] === pk && one['sk'] === sk);
const keyOfLine = ({ organization_id, time, line_id }: Line): Key =>
  lineKey(organization_id, time.slice(0, 10), line_id.slice(4));
const calls = () => house.sent.map(({ name }) => name);

/** What of a deed is there. */
async function left({ once, line, reservation }: Whole) {
  return {
    nonce: (await row(nonceKey(once.key))) !== undefined,
    line: (await row(keyOfLine(line))) !== undefined,
    hold: (await row(idempotencyKey(reservation.organization_id, reservation.key)))?.['state'] as unknown,
  };
}
const everything = { nonce: true, line: true, hold: 'done' };
const nothing = { nonce: false, line: false, hold: 'running' };
/** The same call as another process sees it, which knows nothing of what this one did. */
const afterCrash = (deed: Whole): Whole => ({ ...structuredClone(deed), written: false });

describe('a change and its deed', () => {
  it('are one transaction: the nonce, the hold, the line, and the change itself', async () => {
    const deed = await wholeDeed();
    expect(await transactDeed(house.database, deed, [change(serial)])).toBe('done');
    expect(calls()).toEqual(['TransactWrite']);
    expect(house.sent[0]?.input.TransactItems).toHaveLength(deedRows({ ...deed, written: false }) + 1);
    expect(deed.written).toBe(true);
    expect(await left(deed)).toEqual(everything);
    expect(await row(keyOfLine(deed.line))).toMatchObject({ ...deed.line, row_type: 'line' });
    expect(await row(nonceKey(deed.once.key))).toMatchObject({ expires: deed.once.expires });
    expect(await row(changeKey(serial))).toBeDefined();
  });

  it('without a deed is the change alone', async () => {
    expect(await transactDeed(house.database, undefined, [change(++serial)])).toBe('done');
    expect(house.sent[0]?.input.TransactItems).toHaveLength(1);
  });

  it('of several transactions is written with the first of them and never again', async () => {
    const deed = await wholeDeed();
    await transactDeed(house.database, deed, [change(serial)]);
    house.forget();
    expect(await transactDeed(house.database, deed, [change(serial + 1000)])).toBe('done');
    expect(house.sent[0]?.input.TransactItems).toHaveLength(1);
    await settle(deed);
    expect(calls()).toHaveLength(1);
  });

  it('that the change refuses are not written, and the deed is open to be settled', async () => {
    const deed = await wholeDeed();
    await transactDeed(house.database, undefined, [change(serial)]);
    expect(await transactDeed(house.database, deed, [change(serial)])).toEqual({
      refused: 'taken',
      row: changeKey(serial),
    });
    expect(deed.written).toBe(false);
    expect(await left(deed)).toEqual(nothing);
    deed.line = { ...deed.line, outcome: 'denied', code: 'conflict' };
    await settle(deed);
    expect(await row(keyOfLine(deed.line))).toMatchObject({ outcome: 'denied', code: 'conflict' });
  });
});

describe('a deed that may not be', () => {
  it('has a nonce that was used: nothing is written, though the change could be made', async () => {
    const first = await wholeDeed();
    await transactDeed(house.database, first, [change(serial)]);
    const second = await wholeDeed({ once: first.once });
    const refused = expect.objectContaining({ code: 'nonce_used' }) as Error;
    await expect(transactDeed(house.database, second, [change(serial)])).rejects.toThrow(refused);
    expect(await left({ ...second, once: { ...first.once, key: 'none' } })).toEqual(nothing);
    expect(await row(changeKey(serial))).toBeUndefined();
    await expect(settle(second)).rejects.toThrow(refused);
    expect(second.written).toBe(false);
  });

  it.each([
    ['another attempt has', { owner: 'another' }],
    ['nobody has any more', { key: 'released' }],
  ])('is under an Idempotency-Key that %s: nothing is written', async (_, lost) => {
    const deed = await wholeDeed();
    const own = { ...deed, reservation: { ...deed.reservation, ...lost } };
    const refused = expect.objectContaining({
      code: 'conflict',
      detail: expect.objectContaining({ retry_after: 1 }) as object,
    }) as Error;
    await expect(transactDeed(house.database, own, [change(serial)])).rejects.toThrow(refused);
    await expect(settle(own)).rejects.toThrow(refused);
    expect(own.written).toBe(false);
    expect(await left(deed)).toEqual(nothing);
    expect(await row(changeKey(serial))).toBeUndefined();
  });

  it('in both ways is a replay first of all', async () => {
    const first = await wholeDeed();
    await settle(first);
    const deed = await wholeDeed({ once: first.once });
    deed.reservation = { ...deed.reservation, owner: 'another' };
    await expect(settle(deed)).rejects.toMatchObject({ code: 'nonce_used' });
  });

  it('leaves the row of a stranger’s hold as it was', async () => {
    const deed = await wholeDeed();
    const at = idempotencyKey(deed.reservation.organization_id, deed.reservation.key);
    const before = await row(at);
    await expect(
      settle({ ...deed, reservation: { ...deed.reservation, owner: 'another' } }),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect(await row(at)).toEqual(before);
  });
});

describe('what no change has written', () => {
  it('is settled in one transaction, once', async () => {
    const deed = await wholeDeed();
    await settle(deed);
    expect(await left(deed)).toEqual(everything);
    await settle(deed);
    expect(calls()).toEqual(['TransactWrite']);
  });

  it('is one plain put where it is a line alone, at half the price', async () => {
    const deed = newDeed({ line: sampleLine(++serial) });
    await settle(deed);
    expect(house.counted()).toEqual([{ action: 'PutItem', writeUnits: 1 }]);
    expect(deed.written).toBe(true);
    expect(await row(keyOfLine(deed.line!))).toMatchObject(deed.line!);
    await settle(deed);
    expect(calls()).toHaveLength(1);
  });

  it('is nothing where the call leaves nothing', async () => {
    await settle(newDeed());
    expect(calls()).toEqual([]);
  });

  it.each(['once', 'reservation'] as const)('is conditional where it has a %s', async (part) => {
    const whole = await wholeDeed();
    await settle(newDeed({ [part]: whole[part] }));
    expect(calls()).toEqual(['TransactWrite']);
    expect(house.sent[0]?.input.TransactItems).toHaveLength(1);
  });
});

describe('a crash', () => {
  it('before the transaction leaves nothing, and the same call can still be carried out', async () => {
    const deed = await wholeDeed();
    expect(await left(deed)).toEqual(nothing);
    expect(await transactDeed(house.database, afterCrash(deed), [change(serial)])).toBe('done');
    expect(await left(deed)).toEqual(everything);
  });

  it('after it leaves everything, and the same call again changes nothing and writes no second line', async () => {
    const deed = await wholeDeed();
    await transactDeed(house.database, deed, [change(serial)]);
    const before = await house.rows();
    const again = afterCrash(deed);
    again.line = { ...again.line, line_id: sampleLine(serial + 5000).line_id };
    await expect(transactDeed(house.database, again, [change(serial)])).rejects.toMatchObject({
      code: 'nonce_used',
    });
    await expect(settle(again)).rejects.toMatchObject({ code: 'nonce_used' });
    expect(await house.rows()).toEqual(before);
  });

  it('between a change in two parts leaves the first with all of the deed', async () => {
    const deed = await wholeDeed();
    await transactDeed(house.database, deed, [change(serial)]);
    expect(await row(changeKey(serial + 2000))).toBeUndefined();
    expect(await left(deed)).toEqual(everything);
  });

  it('of the connection after the write is not heard: the SDK repeats it, and all is there once', async () => {
    const deed = await wholeDeed();
    const { database, lost } = deafDatabase();
    expect(await transactDeed(database, deed, [change(serial)])).toBe('done');
    expect(lost()).toBe(1);
    expect(deed.written).toBe(true);
    const line = newDeed({ line: sampleLine(++serial) });
    const deaf = deafDatabase();
    await settleDeed(deaf.database)(line);
    expect(deaf.lost()).toBe(1);
    const ids = [deed.line, line.line!].map(({ line_id }) => line_id);
    const lines = (await house.rows()).filter(({ line_id }) => ids.includes(String(line_id)));
    expect(lines).toHaveLength(2);
  });
});

/** The table through a connection that breaks when the first answer is on its way. */
function deafDatabase(): { database: Database; lost: () => number } {
  const client = new DynamoDBClient({ ...clientSettings(house.url), maxAttempts: 3 });
  const database = openDatabase('mailroom', client);
  let lost = 0;
  database.client.middlewareStack.addRelativeTo(
    (next: any) => async (args: any) => {
      const answer = await next(args);
      if (lost++ === 0) throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
      lost--;
      return answer;
    },
    { relation: 'after', toMiddleware: 'retryMiddleware', name: 'deaf' },
  );
  return { database, lost: () => lost };
}
