import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { badWeather } from '../../../lib/local/weather.ts';
import { removeHome, stubCloud, type StubCloud } from '../../support/service-endpoint.ts';
import { sendingWorld, until } from './sending-fixture.ts';

const open: (() => Promise<void>)[] = [];
let cloud: StubCloud;
beforeEach(async () => {
  cloud = await stubCloud();
});
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  await removeHome(cloud);
});
const world = async (options: { start?: boolean; cloud?: StubCloud } = {}) => {
  const mail = await sendingWorld({ cloud, ...options });
  open.push(mail.close);
  return mail;
};

it('a mail that was accepted and not delivered yet is delivered by the next run', async () => {
  const before = await world({ start: false });
  const { MessageId } = await before.send({});
  // No stop: this run ends as a killed process does.
  const after = await world();
  await after.arrived();
  const { receipt, mail } = after.notice();
  expect(mail.source).toContain(MessageId);
  expect([receipt.spfVerdict, receipt.dkimVerdict, receipt.dmarcVerdict]).toEqual(
    Array(3).fill({ status: 'PASS' }),
  );
  // The key of SES itself is in DNS again, too.
  expect(await after.object()).toContain('dkim=pass header.i=@amazonses.com;');
  expect(before.published).toEqual([]);
  await until(() => after.world.ses.sending.waiting().length === 0);
  expect(after.world.ses.sending.quota.state.SentLast24Hours).toBe(1);
});

it('a stop in the middle of a delivery loses nothing', async () => {
  const before = await world();
  before.refuse.put = new Error('the disk is gone');
  await before.send({});
  await open.pop()!();
  const after = await world();
  cloud.clock.advance(3_600_000);
  await after.arrived();
});

it('a stop waits for the delivery in hand, so that it is not made twice', async () => {
  const before = await world();
  await before.send({});
  await open.pop()!();
  expect(before.published).toHaveLength(1);
  const database = new DatabaseSync(join(cloud.home, 'ses', 'ses.db'), { readOnly: true });
  for (const table of ['outgoing_delivery', 'outgoing_mail']) {
    expect(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()).toEqual({ rows: 0 });
  }
  database.close();
});

it('bad weather refuses some mails and holds others up, and every accepted one arrives once', async () => {
  cloud = await stubCloud({
    home: cloud.home,
    weather: badWeather(7, { throttle: 0.4, delay: 0.5, reorder: 0.5 }),
  });
  const mail = await world();
  let accepted = 0;
  for (let round = 0; round < 12; round++) {
    cloud.clock.advance(500);
    await mail.send({}).then(
      () => accepted++,
      (error: Error) => expect(error.name).toBe('TooManyRequestsException'),
    );
  }
  expect(accepted).toBeGreaterThan(2);
  expect(accepted).toBeLessThan(12);
  cloud.clock.advance(3_000);
  await mail.arrived(accepted);
  await until(() => mail.world.ses.sending.waiting().length === 0);
  expect(mail.published).toHaveLength(accepted);
});
