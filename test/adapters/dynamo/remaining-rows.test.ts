import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiKeyStore } from '../../../lib/adapters/dynamo/api-key-store.ts';
import { eventLog } from '../../../lib/adapters/dynamo/event-log.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { addressKey, logHeadKey, payloadKey, personKey } from '../../../lib/adapters/dynamo/keys.ts';
import { remainingRows } from '../../../lib/adapters/dynamo/remaining-rows.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import type { Credential } from '../../../lib/core/ports.ts';
import type { LoggedEvent } from '../../../lib/core/publish-event.ts';
import type { Pieces } from '../../../lib/core/removal-ports.ts';
import { takeDown } from '../../../lib/core/delete-inbox.ts';
import { updateMessage } from '../../../lib/core/update-messages.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { callIn, inboxRef, newDeed, organizationId } from '../../support/mail-samples.ts';
import { mailroomHouse } from '../../support/mailroom-house.ts';
import { storedInbox } from '../../support/table-house.ts';

/** Batches come back with what did not fit, as they do from a busy table. */
const weather = badWeather(7, { 'partial-batch': 0.3 });
let raining = false;
let mailroom: Awaited<ReturnType<typeof mailroomHouse>>;
beforeAll(async () => {
  mailroom = await mailroomHouse({
    weather: { ...weather, random: weather.random, strikes: (what) => raining && weather.strikes(what) },
  });
});
afterAll(() => mailroom.house.close());

const all = async (pieces: Pieces): Promise<number> => {
  let count = 0;
  for await (const piece of pieces) count += piece;
  return count;
};
let serial = 0;
const credential = (more: Partial<Credential>): Credential => ({
  ...{ api_key_id: `key_${++serial}`, keyid: `keyid-${serial}`, organization_id: organizationId },
  ...{ name: 'key', state: 'active', created_at: '2026-01-01T00:00:00.000Z', updated_at: 'x' },
  ...{ type: 'public_key', public_key: { kty: 'OKP', crv: 'Ed25519', x: 'x' } },
  ...(more as object),
});
const places = (rows: Record<string, any>[]) => rows.map(({ pk, sk }) => `${pk} ${sk}`).toSorted();

it('of an inbox all go but its events, its ledger and its address; of the neighbour none does', async () => {
  const { house, inbox, arrive } = mailroom;
  const { database, now } = house;
  const neighbour = inboxRef('bob');
  await inboxStore(database).provision({ inbox: storedInbox('bob') });
  await arrive({ message_id: '<n@b>' }, { recipients: [neighbour.inbox_id] });
  await house.fill([{ ...payloadKey(neighbour, 'e'), v: 1 }]);
  const others = (await house.rows()).filter(
    ({ pk }) => !pk.includes(inbox.uid) && pk !== addressKey(inbox.inbox_id).pk,
  );

  for (let n = 0; n < 30; n++)
    await arrive({
      message_id: `<${n}@b>`,
      ...(n % 3 > 0 && { in_reply_to: `<${n - 1}@b>` }),
      text: `Mail ${n}`,
    });
  const { messages, events } = await mailroom.inside();
  for (const [n, { message_id }] of messages.slice(0, 4).entries())
    await updateMessage({ mailbox: mailroom.mailbox, now, ulid: newUlid })({
      ...callIn(inbox),
      path: { inbox_id: inbox.inbox_id, message_id },
      body: { add: [`label ${n}`, ...(n === 3 ? ['spam'] : [])], remove: n === 2 ? ['unread'] : [] },
    } as never);
  const keys = apiKeyStore(database);
  const { uid, inbox_id } = inbox;
  await keys.add(credential({ inbox: { uid, inbox_id }, client_id: 'own' }));
  await house.fill([...Array.from({ length: 3 }, (_, n) => ({ ...payloadKey(inbox, `e${n}`), v: 1 }))]);
  await eventLog(database, now).places([events[0] as LoggedEvent]);
  const deed = newDeed();
  await takeDown({ inboxes: inboxStore(database), now, ulid: newUlid, quarantineDays: 30 }, inbox, {
    reason: 'deleted',
    deed,
  });

  raining = true;
  expect(await all(remainingRows(database, now).ofInbox(inbox))).toBeGreaterThan(100);
  raining = false;
  const left = (await house.rows()).filter((row) => !places(others).includes(`${row['pk']} ${row['sk']}`));
  const kinds = left.map(({ pk, sk }) =>
    pk.startsWith('ADDR#')
      ? 'address'
      : pk.startsWith('DUE#')
        ? 'due'
        : pk.includes('#A#')
          ? 'line'
          : pk.endsWith('#E')
            ? 'event'
            : sk.startsWith('REMOVAL#')
              ? 'removal'
              : `${pk} ${sk}`,
  );
  expect([...new Set(kinds)].toSorted()).toEqual(['address', 'due', 'event', 'line', 'removal']);
  expect(left.filter(({ pk }) => pk.endsWith('#E')).every(({ expires }) => expires > 0)).toBe(true);
  expect(left.find(({ sk }) => sk === logHeadKey(inbox).sk)!['expires']).toBeGreaterThan(
    now() / 1000 + 30 * 86400,
  );
  expect(await house.rows()).toEqual(
    expect.arrayContaining(others.filter(({ sk }) => !/^(ORG|POD#)/.test(sk))),
  );
  // A repeat has nothing to do.
  expect(await all(remainingRows(database, now).ofInbox(inbox))).toBe(0);
});

it('of an organization all go but itself and what belongs to its ledger', async () => {
  const { house } = mailroom;
  const { database, now } = house;
  const keys = apiKeyStore(database);
  await keys.add(credential({ client_id: 'everywhere' }));
  const elsewhere = credential({ organization_id: 'org_neighbour' });
  await house.fill([
    { ...personKey(organizationId, 'c'), v: 1 },
    // A listing that points to a key which is another organization's by now.
    { pk: `O#${organizationId}`, sk: `KEY#key_old`, keyid: elsewhere.keyid },
    { pk: `KEY#${elsewhere.keyid}`, sk: 'KEY', organization_id: 'org_neighbour', api_key_id: 'key_old' },
  ]);
  await all(remainingRows(database, now).ofOrganization(organizationId));
  const own = (await house.rows()).filter(({ pk }) =>
    [`O#${organizationId}`, `O#${organizationId}#W`].includes(pk),
  );
  expect(own.map(({ sk }) => sk)).toEqual(['ORG']);
  const credentials = (await house.rows()).filter(({ pk }) => pk.startsWith('KEY#'));
  expect(credentials.map(({ organization_id }) => organization_id)).toEqual(['org_neighbour']);
});
