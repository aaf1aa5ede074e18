import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lineRow } from '../../../lib/adapters/dynamo/line-rows.ts';
import { lineStore } from '../../../lib/adapters/dynamo/line-store.ts';
import type { Line } from '../../../lib/contract/ledger.ts';
import { sampleLine } from '../../support/ledger-samples.ts';
import { organizationId, ulidAt } from '../../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeEach(async () => {
  house = await tableHouse();
});
afterEach(() => house.close());

const put = (line: Line, more = {}) =>
  house.database.client.send(new PutCommand({ TableName: 'mailroom', Item: { ...lineRow(line), ...more } }));
const all = { organization_id: organizationId, day: '2026-03-05', ascending: true, limit: 10 };

it('reads the lines of a day as they were written, in either order, page after page', async () => {
  const store = lineStore(house.database);
  const lines = [1, 2, 3].map((n) =>
    sampleLine(n, { commitments: { source_ip: 'c' }, pod_id: 'pod_1', principal: { kind: 'operator' } }),
  );
  for (const line of lines) await put(line);
  await put(sampleLine(4, { organization_id: 'org_other' }));
  await put(sampleLine(5, { time: '2026-03-06T00:00:00.000Z' }));
  expect(await store.read(all)).toEqual({ lines, examined: 3 });
  expect((await store.read({ ...all, ascending: false })).lines).toEqual(lines.toReversed());
  const first = await store.read({ ...all, limit: 2 });
  expect(first).toEqual({ lines: lines.slice(0, 2), examined: 2, last: ulidAt(2) });
  expect(await store.read({ ...all, limit: 2, after: first.last! })).toEqual({
    lines: [lines[2]],
    examined: 1,
  });
  expect((await store.read({ ...all, from: ulidAt(2), to: ulidAt(2) })).lines).toEqual([lines[1]]);
});

it('does not show a row that was bent until it is no line: its seal misses it', async () => {
  const store = lineStore(house.database);
  await put(sampleLine(1));
  await put(sampleLine(2), { outcome: 'fine' });
  await put(sampleLine(3), { resources: 'none' });
  expect(await store.read(all)).toEqual({ lines: [sampleLine(1)], examined: 3 });
});
