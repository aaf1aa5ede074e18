import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud } from '../cloud.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { RetryStore } from './retry-store.ts';
import type { Delivery } from './retry-store.ts';

/** The queues, as SNS sees them. */
export type QueueSender = Pick<Sqs, 'send'>;

/** SNS's own policy for queues: 100,015 retries over 23 days. */
const maxAttempts = 100_016;

/** Milliseconds before a retry: 3 at once, 2 after a second, 10 growing from 1 to 20 s, then every 20 s. */
export function retryDelay(attempts: number): number {
  if (attempts <= 3) return 0;
  if (attempts <= 5) return 1000;
  return Math.min(20, 20 ** ((attempts - 6) / 9)) * 1000;
}

/** Brings messages into queues: at once where it can, and later, from the store, where it cannot. */
export class Deliveries {
  readonly #cloud: Cloud;
  readonly #queues: QueueSender;
  readonly #store: RetryStore;
  #cancelTimer = () => {};
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(cloud: Cloud, queues: QueueSender) {
    this.#cloud = cloud;
    this.#queues = queues;
    this.#store = new RetryStore(cloud);
  }

  /** Takes up what an earlier process left; the queues are deployed by then. */
  start(): void {
    this.#arm();
  }

  /** When this returns, the message is in its queue or in the store. */
  async accept(delivery: Delivery): Promise<void> {
    const { weather } = this.#cloud;
    const copies = weather.strikes('duplicate') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (weather.strikes('delay')) this.#later(delivery, 0, Math.round(weather.random() * 2000));
      else if (weather.strikes('reorder')) this.#later(delivery, 0, Math.round(weather.random() * 100));
      else if ((await this.#attempt(delivery)) === 'again') this.#later(delivery, 1, retryDelay(1));
    }
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#running;
    this.#store.database.close();
  }

  #later(delivery: Delivery, attempts: number, ms: number): void {
    this.#store.add(delivery, attempts, this.#cloud.clock.now() + ms);
  }

  #arm(): void {
    this.#cancelTimer();
    const due = this.#stopped ? undefined : this.#store.next();
    if (due === undefined) return;
    const wait = Math.max(0, due - this.#cloud.clock.now());
    this.#cancelTimer = this.#cloud.clock.after(wait, () => {
      this.#running ??= this.#workOff().finally(() => {
        this.#running = undefined;
        this.#arm();
      });
    });
  }

  async #workOff(): Promise<void> {
    const { clock } = this.#cloud;
    for (const delivery of this.#store.due(clock.now())) {
      const { id, due: _, attempts, ...rest } = delivery;
      const outcome = await this.#attempt(rest);
      if (outcome === 'again' && attempts + 1 < maxAttempts) {
        this.#store.again(id, attempts + 1, clock.now() + retryDelay(attempts + 1));
      } else this.#store.remove(id);
      if (this.#stopped) return;
    }
  }

  /** A queue that is gone or refuses is no reason to retry: the message goes to the subscription's dead letters. */
  async #attempt(delivery: Delivery): Promise<'done' | 'again'> {
    try {
      await this.#send(delivery, delivery.queueArn);
      return 'done';
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) return 'again';
      return this.#bury(delivery, error);
    }
  }

  async #bury(delivery: Delivery, reason: AwsError): Promise<'done' | 'again'> {
    const { deadLetterArn, topicArn, queueArn } = delivery;
    const from = `a notice of ${topicArn} could not reach ${queueArn} (${reason.code})`;
    if (deadLetterArn === undefined) {
      this.#cloud.print(`lost: ${from} and its subscription has no dead-letter queue`);
      return 'done';
    }
    try {
      await this.#send(delivery, deadLetterArn);
      return 'done';
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) return 'again';
      this.#cloud.print(`lost: ${from}, nor its dead-letter queue (${error.code})`);
      return 'done';
    }
  }

  async #send({ topicArn, body, attributes }: Delivery, queueArn: string): Promise<void> {
    const caller: Caller = {
      kind: 'service',
      service: 'sns.amazonaws.com',
      sourceArn: topicArn,
      sourceAccount: this.#cloud.account,
    };
    const messageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, { type, value }]) => [
        name,
        { DataType: type, ...(type.startsWith('Binary') ? { BinaryValue: value } : { StringValue: value }) },
      ]),
    );
    await this.#queues.send({ caller, queueArn, body, messageAttributes });
  }
}
