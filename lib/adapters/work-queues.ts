import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Nudge } from '../core/nudge.ts';
import type { Now } from '../core/ports.ts';
import type { SendNudges } from '../core/publish-event.ts';

/** Messages that SQS takes at once. */
const sentAtOnce = 10;
/** The longest delay of SQS, in seconds. */
const longestDelay = 900;

/** Sends each nudge to its queue: the job as JSON, at its time. */
export const workQueues =
  (urls: Record<Nudge['queue'], string>, now: Now, client = new SQSClient({})): SendNudges =>
  async (nudges) => {
    const outcomes = new Map<Nudge, Error>();
    for (const [queue, QueueUrl] of Object.entries(urls)) {
      const wanted = nudges.filter((nudge) => nudge.queue === queue);
      for (let at = 0; at < wanted.length; at += sentAtOnce) {
        const batch = wanted.slice(at, at + sentAtOnce);
        for (const [n, error] of await sendBatch(client, QueueUrl, batch, now()))
          outcomes.set(batch[n]!, error);
      }
    }
    return nudges.map((nudge) => outcomes.get(nudge));
  };

/** What was not taken, by its place. */
async function sendBatch(
  client: SQSClient,
  QueueUrl: string,
  nudges: Nudge[],
  now: number,
): Promise<[number, Error][]> {
  const Entries = nudges.map((nudge, n) => ({
    Id: String(n),
    MessageBody: JSON.stringify(nudge.job),
    MessageGroupId: nudge.group,
    DelaySeconds: delayOf(nudge, now),
  }));
  try {
    const { Successful = [], Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl, Entries }),
    );
    const taken = new Set(Successful.map(({ Id }) => Id));
    return Entries.flatMap(({ Id }, n): [number, Error][] => {
      if (taken.has(Id)) return [];
      const { Code, Message } = Failed.find((one) => one.Id === Id) ?? {};
      return [[n, new Error(`the queue refused a nudge: ${Code ?? 'no answer'} ${Message ?? ''}`)]];
    });
  } catch (error) {
    return nudges.map((_, n) => [n, error as Error]);
  }
}

function delayOf({ not_before }: Nudge, now: number): number {
  const seconds = not_before === undefined ? 0 : Math.ceil((Date.parse(not_before) - now) / 1000);
  return Math.min(Math.max(seconds, 0), longestDelay);
}
