import { createHash } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lineRow } from '../../../lib/adapters/dynamo/line-rows.ts';
import { lineStore } from '../../../lib/adapters/dynamo/line-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { commitments, personStore } from '../../../lib/adapters/dynamo/person-store.ts';
import { sealStore } from '../../../lib/adapters/dynamo/seal-store.ts';
import { verifyLedger } from '../../../lib/contract/verify-ledger.ts';
import { erasePersonal } from '../../../lib/core/erase-personal.ts';
import { listOrganizationLines } from '../../../lib/core/list-lines.ts';
import { sealLines } from '../../../lib/core/seal-lines.ts';
import { noon, sampleLine, sha256 } from '../../support/ledger-samples.ts';
import { organizationId } from '../../support/mail-samples.ts';
import { plainTokens } from '../../support/memory-ports.ts';
import { settle, tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeEach(async () => {
  house = await tableHouse();
});
afterEach(() => house.close());

const ip = '203.0.113.77';
const user = 'arn:aws:iam::000000000000:user/jo';

it('a commitment is the hash of salt, field and value, and opens to them', async () => {
  const made = await commitments(house.database, { now: house.now })(organizationId, {
    source_ip: ip,
    user_arn: user,
  });
  const rows = await house.rows();
  expect(rows).toHaveLength(2);
  for (const { sk, field, value, salt } of rows) {
    const bytes = Buffer.from(salt, 'base64url');
    expect(bytes).toHaveLength(16);
    const hash = createHash('sha256').update(bytes).update(`${field}:${value}`).digest('base64url');
    expect([sk, made[field as keyof typeof made]]).toEqual([hash, hash]);
  }
  expect(await personStore(house.database).reveal(organizationId, Object.values(made))).toEqual(
    new Map([
      [made.source_ip, { field: 'source_ip', value: ip }],
      [made.user_arn, { field: 'user_arn', value: user }],
    ]),
  );
  expect(await personStore(house.database).reveal('org_other', Object.values(made))).toEqual(new Map());
});

it('is made once an hour for the same fact, and tells nobody that two facts or organizations share a value', async () => {
  let now = 0;
  const commit = commitments(house.database, { now: () => now });
  const first = await commit(organizationId, { source_ip: ip });
  house.forget();
  expect(await commit(organizationId, { source_ip: ip })).toEqual(first);
  expect(house.sent).toEqual([]);
  const other = await commit('org_other', { source_ip: ip });
  expect(other.source_ip).not.toBe(first.source_ip);
  now = 3_600_000;
  expect(await commit(organizationId, { source_ip: ip })).not.toEqual(first);
  expect(await commit(organizationId, {})).toEqual({});
});

it('remembers a thousand at most', async () => {
  const commit = commitments(house.database, { now: () => 0 });
  const first = await commit(organizationId, { source_ip: 'first' });
  for (let n = 0; n < 1000; n++) await commit(organizationId, { source_ip: `ip-${n}` });
  expect(await commit(organizationId, { source_ip: 'first' })).not.toEqual(first);
});

it('erases one value wherever it stands, or all of one organization', async () => {
  const store = personStore(house.database);
  const fresh = () => commitments(house.database, { now: house.now });
  for (let n = 0; n < 3; n++) await fresh()(organizationId, { source_ip: ip, user_arn: user });
  await fresh()('org_other', { source_ip: ip });
  expect(await store.erase(organizationId, { value: '203.0.113.7' })).toBe(0);
  expect(await store.erase(organizationId, { value: ip })).toBe(3);
  expect(await store.erase(organizationId, 'all')).toBe(3);
  expect(await house.rows()).toMatchObject([{ pk: 'O#org_other#W', value: ip }]);
});

it('after an erasure lines and seals verify, what was personal is gone, and stands nowhere in the table', async () => {
  await settle(house);
  const { database } = house;
  const made = await commitments(database, { now: house.now })(organizationId, {
    source_ip: ip,
    user_arn: user,
  });
  const lines = [1, 2, 3].map((n) => sampleLine(n, { commitments: made }));
  for (const line of lines)
    await database.client.send(new PutCommand({ TableName: 'mailroom', Item: lineRow(line) }));
  const seals = sealStore(database);
  await sealLines({ seals, sha256, now: () => noon, report: (message) => expect.unreachable(message) })(
    lines.map((line, n) => ({ line, sequence: String(n + 1), written_at: Date.parse(line.time) })),
  );
  const persons = personStore(database);
  const organizations = organizationStore(database);
  const deed = { written: false };
  const list = () =>
    listOrganizationLines({
      ...{ lines: lineStore(database), persons, organizations, seals, tokens: plainTokens },
      now: () => noon + 60_000,
    })({ path: { organization_id: organizationId }, query: {} } as never);
  expect((await list()).lines[0]!.personal).toEqual({ source_ip: ip, user_arn: user });

  const erase = erasePersonal({ persons, organizations });
  const call = { path: { organization_id: organizationId }, body: { value: ip }, deed } as never;
  expect(await erase(call)).toEqual({ erased: 1 });
  const shown = (await list()).lines;
  expect(shown.map(({ personal }) => personal)).toEqual(Array(3).fill({ user_arn: user }));
  expect(JSON.stringify(await house.rows())).not.toContain(ip);
  const chain = (await seals.list(organizationId, { limit: 10, ascending: true })).items;
  const bare = shown.map(({ personal: _, ...line }) => line);
  const ledger = { organization_id: organizationId, lines: bare, seals: chain, now: noon + 3600_000 };
  expect(verifyLedger(ledger, sha256)).toEqual([]);
  expect(chain).toHaveLength(1);
  await expect(
    erase({ path: { organization_id: 'org_none' }, body: { all: true }, deed } as never),
  ).rejects.toThrow(/Organization/);
});
