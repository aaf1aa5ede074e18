import { createHash } from 'node:crypto';
import type { Clock } from '../../../lib/local/clock.ts';
import type { Caller } from '../../../lib/local/cloud.ts';
import type { QueueMessage, SqsSource } from '../../../lib/local/lambda/sqs-source.ts';

interface Entry {
  message: QueueMessage;
  visibleAt: number;
  receives: number;
}

/** Queues in memory, all with a visibility timeout of 30 s. */
export class FakeQueues implements SqsSource {
  readonly callers: Caller[] = [];
  readonly #entries = new Map<string, Entry[]>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(queueArn: string, messageId: string, body: string): void {
    const md5OfBody = createHash('md5').update(body).digest('hex');
    const attributes = { SentTimestamp: '1', SenderId: 'someone', ApproximateFirstReceiveTimestamp: '2' };
    const messageAttributes = { kind: { StringValue: 'test', DataType: 'String' } };
    const message = { messageId, receiptHandle: '', body, md5OfBody, attributes, messageAttributes };
    this.#of(queueArn).push({ message, visibleAt: 0, receives: 0 });
    for (const listener of this.#listeners.get(queueArn) ?? []) listener();
  }

  bodies(queueArn: string): string[] {
    return this.#of(queueArn).map(({ message }) => message.body);
  }

  receive({
    caller,
    queueArn,
    max,
  }: {
    caller: Caller;
    queueArn: string;
    max: number;
  }): Promise<QueueMessage[]> {
    this.callers.push(caller);
    const now = this.#clock.now();
    const due = this.#of(queueArn)
      .filter((entry) => entry.visibleAt <= now)
      .slice(0, max);
    return Promise.resolve(
      due.map((entry) => {
        entry.visibleAt = now + 30_000;
        entry.receives++;
        const attributes = { ...entry.message.attributes, ApproximateReceiveCount: String(entry.receives) };
        return {
          ...entry.message,
          receiptHandle: `${entry.message.messageId}#${entry.receives}`,
          attributes,
        };
      }),
    );
  }

  delete({ queueArn, receiptHandle }: { queueArn: string; receiptHandle: string }): Promise<void> {
    const entries = this.#of(queueArn);
    const place = entries.findIndex((entry) => entry.message.messageId === receiptHandle.split('#')[0]);
    if (place >= 0) entries.splice(place, 1);
    return Promise.resolve();
  }

  send({ queueArn, body, caller }: { caller: Caller; queueArn: string; body: string }): Promise<void> {
    this.callers.push(caller);
    this.put(queueArn, `sent-${this.#of(queueArn).length}`, body);
    return Promise.resolve();
  }

  settings(): Promise<{ visibilityMs: number }> {
    return Promise.resolve({ visibilityMs: 30_000 });
  }

  onMessage(queueArn: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(queueArn) ?? new Set();
    this.#listeners.set(queueArn, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  #of(queueArn: string): Entry[] {
    const entries = this.#entries.get(queueArn) ?? [];
    this.#entries.set(queueArn, entries);
    return entries;
  }
}
