import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transactDeed } from '../../../lib/adapters/dynamo/deed.ts';
import { reservations } from '../../../lib/adapters/dynamo/reservations.ts';
import type { Reservation } from '../../../lib/contract/call.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let now = Date.parse('2026-01-31T12:00:00Z');
let store: ReturnType<typeof reservations>;
beforeAll(async () => {
  house = await tableHouse();
  store = reservations(house.database, () => now);
});
afterAll(() => house.close());

let keys = 0;
const attempt = (more: Partial<Reservation> = {}): Reservation => ({
  organization_id: 'org_1',
  key: `key_${++keys}`,
  owner: 'first',
  ...more,
});
const second = (first: Reservation): Reservation => ({ ...first, owner: 'second' });
const answer = { statusCode: 200, body: '{"inbox_id":"a@b.test"}' };
const change = (reservation: Reservation, name: string) =>
  transactDeed(house.database, { reservation, written: false }, [
    { put: { pk: `O#org_1#CHANGE#${name}`, sk: 'X' } },
  ]);
const isThere = async (name: string) =>
  (await house.rows()).some(({ pk }) => pk === `O#org_1#CHANGE#${name}`);

describe('a reservation', () => {
  it('is had once, answers repeats for a day, and is free after that though its row is still there', async () => {
    const first = attempt();
    expect(await store.reserve(first, 'print')).toBe('reserved');
    expect(await store.reserve(second(first), 'print')).toBe('in_flight');
    await change(first, 'once');
    expect(await store.reserve(second(first), 'print')).toBe('in_flight');
    now += 10_000;
    await store.keep(first, answer);
    expect(await store.reserve(second(first), 'print')).toEqual({ answer });
    now += 24 * 3_600_000 - 1000;
    expect(await store.reserve(second(first), 'print')).toEqual({ answer });
    now += 2000;
    expect((await house.rows()).some(({ pk }) => pk === `O#org_1#IDEM#${first.key}`)).toBe(true);
    expect(await store.reserve(second(first), 'other')).toBe('reserved');
    expect(await store.reserve(attempt({ ...first, owner: 'third' }), 'other')).toBe('in_flight');
  });

  it('belongs to one request, while it runs and when it is done', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    expect(await store.reserve(second(first), 'other')).toBe('other_request');
    await store.keep(first, answer);
    expect(await store.reserve(second(first), 'other')).toBe('other_request');
  });

  it('is the organization’s own', async () => {
    const first = attempt();
    expect(await store.reserve(first, 'print')).toBe('reserved');
    expect(await store.reserve({ ...first, organization_id: 'org_2' }, 'other')).toBe('reserved');
  });

  it('has one winner among 20 at once', async () => {
    for (let round = 0; round < 5; round++) {
      const first = attempt();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.reserve({ ...first, owner: `owner ${n}` }, 'print')),
      );
      expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'in_flight')).toHaveLength(19);
    }
  });

  it('of one that died before its change is taken over after a minute, by one of many', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    now += 59_999;
    expect(await store.reserve(second(first), 'print')).toBe('in_flight');
    now += 1;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.reserve({ ...first, owner: `owner ${n}` }, 'print')),
    );
    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(1);
  });

  it('that was taken over can neither change anything, nor keep an answer, nor be given back', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    now += 60_000;
    expect(await store.reserve(second(first), 'print')).toBe('reserved');
    await expect(change(first, 'overtaken')).rejects.toMatchObject({ code: 'conflict' });
    expect(await isThere('overtaken')).toBe(false);
    await store.keep(first, { statusCode: 200, body: '"of the first"' });
    await store.release(first);
    expect(await store.reserve({ ...first, owner: 'third' }, 'print')).toBe('in_flight');
    await change(second(first), 'overtaking');
    expect(await isThere('overtaking')).toBe(true);
    await store.keep(second(first), answer);
    expect(await store.reserve({ ...first, owner: 'third' }, 'print')).toEqual({ answer });
  });

  it('whose change is made and whose answer is lost says so, and is not carried out again', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    await change(first, 'lost');
    now += 60_000;
    expect(await store.reserve(second(first), 'print')).toBe('answer_lost');
    expect(await store.reserve(second(first), 'other')).toBe('other_request');
  });

  it('given back is free at once, and not when its change is made', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    await store.release(first);
    expect(await store.reserve(second(first), 'other')).toBe('reserved');
    await change(second(first), 'kept');
    await store.release(second(first));
    expect(await store.reserve(first, 'other')).toBe('in_flight');
  });

  it('keeps an answer of 300 KB, and of a larger one that it is lost', async () => {
    const largest = { statusCode: 200, body: 'x'.repeat(300 * 1024) };
    const fits = attempt();
    await store.reserve(fits, 'print');
    await store.keep(fits, largest);
    expect(await store.reserve(second(fits), 'print')).toEqual({ answer: largest });
    const tooLarge = attempt();
    await store.reserve(tooLarge, 'print');
    await store.keep(tooLarge, { statusCode: 200, body: `${largest.body}y` });
    expect(await store.reserve(second(tooLarge), 'print')).toBe('answer_lost');
  });

  it('keeps an answer without a body', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    await store.keep(first, { statusCode: 204, body: '' });
    expect(await store.reserve(second(first), 'print')).toEqual({ answer: { statusCode: 204, body: '' } });
  });

  it('is had by the attempt whose first put was carried out unheard', async () => {
    const first = attempt();
    await store.reserve(first, 'print');
    expect(await store.reserve(first, 'print')).toBe('reserved');
  });
});
