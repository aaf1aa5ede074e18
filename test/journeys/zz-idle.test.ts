import { it } from 'vitest';
import { setTimeout as wait } from 'node:timers/promises';
import { sharedMailroom } from '../support/mailroom.ts';
const mailroom = sharedMailroom();
it('idle', async () => {
  const inbox = await mailroom.inbox();
  await mailroom.send({ to: inbox, subject: 'x' });
  await mailroom.message(inbox, 'x');
  await wait(4000);
  mailroom.cloud.calls.reset();
  const logs: string[] = [];
  for (let i = 0; i < 100; i++) { mailroom.cloud.clock.advance(200); await wait(20); }
  const c: Record<string, number> = {};
  for (const { service, action, by } of mailroom.cloud.calls.list) c[`${service} ${action} ${by}`] = (c[`${service} ${action} ${by}`] ?? 0) + 1;
  console.log(c);
  mailroom.cloud.calls.reset();
  const t = performance.now();
  mailroom.cloud.clock.advance(61_000);
  for (let i = 0; i < 200; i++) { const n = mailroom.cloud.calls.list.length; await wait(50); const m = mailroom.cloud.calls.list.length; if (m !== n) logs.push(`${Math.round(performance.now() - t)}: ${mailroom.cloud.calls.list.slice(n).map((x) => x.service + ' ' + x.action + ' ' + x.by.slice(15, 30)+(x.error??'')).join(', ')}`); }
  console.log(logs.join('\n'));
});
