import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { encodeTime } from 'ulid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportStore } from '../../../lib/adapters/dynamo/export-store.ts';
import { lineKey, organizationEntryKey, sealKey } from '../../../lib/adapters/dynamo/keys.ts';
import { lineRow } from '../../../lib/adapters/dynamo/line-rows.ts';
import { sealStore } from '../../../lib/adapters/dynamo/seal-store.ts';
import type { Line } from '../../../lib/contract/ledger.ts';
import type { ExportStore } from '../../../lib/core/ledger-ports.ts';
import { sampleLine, sealAll } from '../../support/ledger-samples.ts';
import { organizationId } from '../../support/mail-samples.ts';
import { settle, tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let store: ExportStore;
beforeEach(async () => {
  house = await tableHouse();
  store = exportStore(house.database);
});
afterEach(() => house.close());

const put = (Item: object) => house.database.client.send(new PutCommand({ TableName: 'mailroom', Item }));
const noon = Date.parse('2026-03-05T12:00:00.000Z');
const idAt = (time: number, n: number): string =>
  `lin_${encodeTime(time, 10).toLowerCase()}${String(n).padStart(16, '0')}`;
/** A line whose id is of its time, on the nth day. */
const timely = (n: number): Line => {
  const time = noon + n * 24 * 3600_000;
  return sampleLine(n, { line_id: idAt(time, n), time: new Date(time).toISOString() });
};

describe('organizations', () => {
  it('are all of them, page by page, suspended ones too', async () => {
    await settle(house, 'org_b');
    await settle(house, 'org_a');
    await house.fill(
      Array.from({ length: 1100 }, (_, n) => organizationEntryKey(`org_x${String(n).padStart(4, '0')}`)).map(
        (key) => ({ ...key }),
      ),
    );
    const ids = await Array.fromAsync(store.organizations());
    expect([ids.length, ids[0], ids[1], ids.at(-1)]).toEqual([1102, 'org_a', 'org_b', 'org_x1099']);
  });
});

describe('seals', () => {
  const chain = sealAll([1, 2, 3].map((n) => [sampleLine(n)]));
  const head = { number: 3, hash: '', sequences: {} };

  it('come from a number on, and say whether there are more; the head is none', async () => {
    for (const seal of chain) await put({ ...sealKey(organizationId, seal.number), v: 1, ...seal });
    await sealStore(house.database).append(sealAll([[sampleLine(9)]], 'org_b')[0]!, head, undefined);
    expect(await store.seals(organizationId, 1, 2)).toEqual({ seals: chain.slice(0, 2), more: true });
    expect(await store.seals(organizationId, 2, 10)).toEqual({ seals: chain.slice(1), more: false });
    expect(await store.seals(organizationId, 4, 10)).toEqual({ seals: [], more: false });
    expect((await store.seals('org_b', 1, 10)).seals).toHaveLength(1);
  });

  it('leave out a row that somebody bent until it is none', async () => {
    const [one, two, three] = chain as [(typeof chain)[0], (typeof chain)[0], (typeof chain)[0]];
    await put({ ...sealKey(organizationId, 1), v: 1, ...one });
    await put({ ...sealKey(organizationId, 2), v: 1, ...two, root: 7 });
    await put({ ...sealKey(organizationId, 3), v: 1, ...three });
    expect(await store.seals(organizationId, 1, 10)).toEqual({ seals: [one, three], more: false });
  });
});

describe('lines', () => {
  it('come in the order asked, from the day of each, with none where it is gone or bent', async () => {
    const lines = [0, 1, 2, 3].map((n) => timely(n));
    for (const line of lines) await put(lineRow(line));
    const ids = lines.map(({ line_id }) => line_id);
    await house.database.client.send(
      new DeleteCommand({
        TableName: 'mailroom',
        Key: lineKey(organizationId, lines[1]!.time.slice(0, 10), ids[1]!.slice(4)),
      }),
    );
    await put({ ...lineRow(lines[2]!), outcome: 'fine' });
    expect(await store.lines(organizationId, [ids[3]!, ids[2]!, ids[1]!, ids[0]!])).toEqual([
      lines[3],
      undefined,
      undefined,
      lines[0],
    ]);
    expect(await store.lines('org_other', ids)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('are found where the id is of the day after: ids of a process never go back', async () => {
    const midnight = Date.parse('2026-03-06T00:00:00.000Z');
    const late = sampleLine(1, {
      line_id: idAt(midnight, 1),
      time: new Date(midnight - 1).toISOString(),
    });
    await put(lineRow(late));
    const none = idAt(midnight, 2);
    expect(await store.lines(organizationId, [none, late.line_id])).toEqual([undefined, late]);
  });

  it('with an id that no ULID is are not there, and keep nobody from the others', async () => {
    const line = timely(1);
    await put(lineRow(line));
    expect(await store.lines(organizationId, ['x', line.line_id, 'lin_!'])).toEqual([
      undefined,
      line,
      undefined,
    ]);
  });
});

describe('how far it came', () => {
  it('moves from where it was read, in a partition of its own', async () => {
    expect(await store.exported(organizationId)).toBeUndefined();
    expect(await store.advance(organizationId, { number: 3, hash: 'a' }, undefined)).toBe('done');
    expect(await store.advance(organizationId, { number: 9, hash: 'b' }, undefined)).toBe('moved');
    expect(await store.advance(organizationId, { number: 5, hash: 'c' }, { number: 3, hash: 'a' })).toBe(
      'done',
    );
    expect(await store.advance(organizationId, { number: 6, hash: 'd' }, { number: 3, hash: 'a' })).toBe(
      'moved',
    );
    expect(await store.advance(organizationId, { number: 6, hash: 'd' }, { number: 5, hash: 'x' })).toBe(
      'moved',
    );
    expect(await store.exported(organizationId)).toEqual({ number: 5, hash: 'c' });
    expect((await house.rows()).map(({ pk, sk }) => [pk, sk])).toEqual([
      [`O#${organizationId}#X`, 'EXPORTED'],
    ]);
  });
});
