import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sealStore } from '../../../lib/adapters/dynamo/seal-store.ts';
import { sampleLine, sealAll } from '../../support/ledger-samples.ts';
import { organizationId } from '../../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeEach(async () => {
  house = await tableHouse();
});
afterEach(() => house.close());

const chain = sealAll([[sampleLine(1), sampleLine(2)], [sampleLine(3)], [sampleLine(4)]]);
const headOf = (n: number) => ({
  number: n,
  hash: chain[n - 1]!.hash,
  sequences: { '2026-03-05': `9${'0'.repeat(20)}${n}` },
});

it('appends to the chain and moves its head with it; a list is in the order of the chain, without the head', async () => {
  const store = sealStore(house.database);
  expect(await store.head(organizationId)).toBeUndefined();
  expect(await store.append(chain[0]!, headOf(1), undefined)).toBe('sealed');
  expect(await store.head(organizationId)).toEqual(headOf(1));
  expect(await store.append(chain[1]!, headOf(2), headOf(1))).toBe('sealed');
  expect(await store.append(chain[2]!, headOf(3), headOf(2))).toBe('sealed');
  const first = await store.list(organizationId, { limit: 2, ascending: true });
  expect(first.items).toEqual(chain.slice(0, 2));
  const rest = await store.list(organizationId, { limit: 2, ascending: true, after: first.next! });
  expect(rest).toEqual({ items: [chain[2]] });
  expect((await store.list('org_other', { limit: 2, ascending: true })).items).toEqual([]);
});

it('refuses whoever read an older head, and leaves nothing half done', async () => {
  const store = sealStore(house.database);
  await store.append(chain[0]!, headOf(1), undefined);
  expect(await store.append(chain[0]!, headOf(1), undefined)).toBe('moved');
  await store.append(chain[1]!, headOf(2), headOf(1));
  const before = await house.rows();
  expect(await store.append(chain[1]!, headOf(2), headOf(1))).toBe('moved');
  expect(await store.append(chain[2]!, headOf(3), { ...headOf(2), hash: 'other' })).toBe('moved');
  expect(await house.rows()).toEqual(before);
});

it('never writes over a seal, whatever the head says', async () => {
  const store = sealStore(house.database);
  await store.append(chain[0]!, headOf(1), undefined);
  await store.append(chain[1]!, headOf(2), headOf(1));
  const head = (await house.rows()).find(({ sk }) => sk === 'HEAD');
  await house.database.client.send(
    new PutCommand({ TableName: 'mailroom', Item: { ...head, ...headOf(1) } }),
  );
  expect(await store.append({ ...chain[1]!, root: 'forged' }, headOf(2), headOf(1))).toBe('moved');
});
