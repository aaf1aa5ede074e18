import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { workQueues } from '../../lib/adapters/work-queues.ts';
import type { Nudge } from '../../lib/core/nudge.ts';

const now = Date.parse('2026-01-01T00:00:00.000Z');
const removal = (n: number, more: Partial<Nudge> = {}): Nudge => ({
  group: `org_${n}`,
  count: 1,
  queue: 'removals',
  job: { organization_id: `org_${n}`, what: 'inb_1' },
  ...(more as object),
});
const delivery: Nudge = {
  group: 'org_9',
  count: 3,
  queue: 'deliveries',
  job: { organization_id: 'org_9', webhook_id: 'wh_1', event: '01', attempt: 3 },
};

function queues(refuse: (body: string) => boolean | Error = () => false) {
  const sent: { QueueUrl: string; Entries: any[] }[] = [];
  const send = workQueues({ deliveries: 'https://d', removals: 'https://r' }, () => now, {
    send: async ({ input }: SendMessageBatchCommand) => {
      const entries = input.Entries!;
      const thrown = entries
        .map(({ MessageBody }) => refuse(MessageBody!))
        .find((one) => one instanceof Error);
      if (thrown) throw thrown;
      sent.push(input as never);
      const no = entries.filter(({ MessageBody }) => refuse(MessageBody!));
      return {
        Successful: entries.filter((one) => !no.includes(one)).map(({ Id }) => ({ Id })),
        Failed: no.map(({ Id }) => ({ Id, Code: 'InternalError', Message: 'try again' })),
      };
    },
  } as unknown as SQSClient);
  return { sent, send };
}

it('each job goes to its queue, in its group, ten at a time', async () => {
  const { sent, send } = queues();
  const nudges = [delivery, ...Array.from({ length: 12 }, (_, n) => removal(n))];
  expect(await send(nudges)).toEqual(nudges.map(() => undefined));
  expect(sent.map(({ QueueUrl, Entries }) => [QueueUrl, Entries.length])).toEqual([
    ['https://d', 1],
    ['https://r', 10],
    ['https://r', 2],
  ]);
  expect(sent[0]!.Entries[0]).toEqual({
    Id: '0',
    MessageBody: JSON.stringify(delivery.job),
    MessageGroupId: 'org_9',
    DelaySeconds: 0,
  });
});

it.each([
  [undefined, 0],
  ['2025-12-31T00:00:00.000Z', 0],
  ['2026-01-01T00:00:04.200Z', 5],
  ['2026-01-01T00:15:00.000Z', 900],
  ['2026-01-01T09:00:00.000Z', 900],
])('not before %s is a delay of %d seconds', async (not_before, seconds) => {
  const { sent, send } = queues();
  await send([removal(1, not_before === undefined ? {} : { not_before })]);
  expect(sent[0]!.Entries[0].DelaySeconds).toBe(seconds);
});

it('what the queue refuses is an error of its own, and what it cannot be asked an error of all', async () => {
  const nudges = [removal(1), delivery, removal(2), removal(3)];
  const some = await queues((body) => body.includes('org_2')).send(nudges);
  expect(some.map((error) => error?.message)).toEqual([
    undefined,
    undefined,
    'the queue refused a nudge: InternalError try again',
    undefined,
  ]);
  const all = await queues((body) => body.includes('org_2') && new Error('no network')).send(nudges);
  expect(all.map((error) => error?.message)).toEqual(['no network', undefined, 'no network', 'no network']);
});
