import { StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sharedMailroom } from '../support/mailroom.ts';
import { thorough } from '../support/thorough.ts';

// While S3 is away the reconciler fails too, and leaves dead letters of its own.
const mailroom = sharedMailroom({ odds: 'calm', expects: { deadLetters: true } });
const intakeDeadLetters = (id: string) => /intake.*dead/i.test(id);

const list = async (inbox: string) => (await mailroom.client().inboxes.messages.list(inbox)).messages;

/** Repeats while the clock goes as the machine's does: each minute of it starts a function, which is work for the machine. */
async function soon<T>(check: () => Promise<T>, seconds = 20): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await wait(50);
  }
}

/** The messages of an inbox by subject, once there are so many; whole. */
const arrived = async (inbox: string, count: number) => {
  const messages = await soon(async () => {
    const found = await list(inbox);
    expect(found).toHaveLength(count);
    return found;
  });
  const whole = await Promise.all(
    messages.map(({ message_id }) => mailroom.client().inboxes.messages.get(inbox, message_id)),
  );
  return new Map(whole.map((one) => [one.subject, one]));
};

const waiting = () => mailroom.queued((id) => /intake/i.test(id) && !/dead/i.test(id));
const settled = () => soon(async () => expect(await waiting()).toBe(0));

describe('a mail whose notice is lost', () => {
  it('is taken in after ten minutes, and says that its envelope was inferred', async () => {
    const inbox = await mailroom.inbox();
    const { sns } = mailroom.cloud.services;
    // SES has stored the mail and SNS has taken the notice; nobody ever hears it.
    const lost = vi.spyOn(sns, 'publish').mockResolvedValue({ messageId: 'lost' });
    onTestFinished(() => lost.mockRestore());
    await mailroom.send({ to: inbox, subject: 'left behind', text: 'Still here.' });
    lost.mockRestore();
    await mailroom.pass(9);
    await mailroom.send({ to: inbox, subject: 'later' });
    expect((await arrived(inbox, 1)).get('later')).toMatchObject({ envelope: 'given' });
    await mailroom.pass(2);
    const messages = await arrived(inbox, 2);
    expect(messages.get('left behind')).toMatchObject({
      envelope: 'inferred',
      envelope_to: [inbox],
      from: 'Alice <alice@sender.test>',
      labels: ['received', 'unread'],
      authentication: { spf: 'PASS', spam: 'PASS', virus: 'PASS', dmarc: 'PASS' },
      text: 'Still here.\n',
    });
  });

  it('and whose notice comes after all is there once', async () => {
    const inbox = await mailroom.inbox();
    const { sns } = mailroom.cloud.services;
    const held: Parameters<typeof sns.publish>[0][] = [];
    const late = vi.spyOn(sns, 'publish').mockImplementation(async (request) => {
      held.push(request);
      return { messageId: 'late' };
    });
    onTestFinished(() => late.mockRestore());
    await mailroom.send({ to: inbox, subject: 'told twice' });
    late.mockRestore();
    await mailroom.pass(11);
    await arrived(inbox, 1);
    expect(held).toHaveLength(1);
    await sns.publish(held[0]!);
    await settled();
    const message = (await arrived(inbox, 1)).get('told twice');
    expect(message).toMatchObject({ envelope: 'inferred' });
    expect(message).not.toHaveProperty('duplicates');
  });
});

// That a dead letter comes back is also shown, in less time, with `posthorn redrive`.
if (thorough)
  describe('a mail that failed five times', () => {
    it('is a dead letter, and there once after the redrive', async () => {
      const inbox = await mailroom.inbox();
      expect(mailroom.queueUrls(intakeDeadLetters)).toHaveLength(1);
      // S3 hands nothing out, so neither the function nor the reconciler gets on.
      mailroom.cloud.outages.add('s3');
      await mailroom.send({ to: inbox, subject: 'at last' });
      // Each time, it is back in the queue when its visibility timeout of twelve minutes is over.
      for (let time = 1; (await mailroom.queued(intakeDeadLetters)) === 0; time++) {
        expect(time).toBeLessThan(12);
        await mailroom.pass(13);
      }
      expect(await waiting()).toBe(0);
      expect(await list(inbox)).toEqual([]);
      mailroom.cloud.outages.delete('s3');
      const [url] = mailroom.queueUrls(intakeDeadLetters);
      const name = url!.split('/').at(-1)!;
      await mailroom
        .sqs()
        .send(new StartMessageMoveTaskCommand({ SourceArn: `arn:aws:sqs:us-east-1:000000000000:${name}` }));
      await arrived(inbox, 1);
      await settled();
      expect((await arrived(inbox, 1)).get('at last')).toBeDefined();
      expect(await mailroom.queued(intakeDeadLetters)).toBe(0);
    });
  });
