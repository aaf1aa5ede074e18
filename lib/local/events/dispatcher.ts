import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud } from '../cloud.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { DeliveryStore } from './delivery-store.ts';
import type { Delivery, WaitingDelivery } from './delivery-store.ts';

/** Targets that are no queues: the platform invokes functions. Returns when the target has the event for good. */
export interface EventTargets {
  deliver(targetArn: string, event: unknown, caller: Caller): Promise<void>;
}
export type QueueSender = Pick<Sqs, 'send'>;

const atOnce = 50;

/** Brings stored deliveries to their targets, again and again until their time is up. */
export class Dispatcher {
  readonly #cloud: Cloud;
  readonly #queues: QueueSender;
  readonly #targets: EventTargets;
  readonly #store: DeliveryStore;
  readonly #inFlight = new Map<number, Promise<void>>();
  #cancelTimer = () => {};
  #started = false;

  constructor(cloud: Cloud, queues: QueueSender, targets: EventTargets) {
    this.#cloud = cloud;
    this.#queues = queues;
    this.#targets = targets;
    this.#store = new DeliveryStore(cloud);
  }

  /** Begins to deliver, first what an earlier process left. */
  start(): void {
    this.#started = true;
    this.#pump();
  }

  /** The deliveries are safe when this returns. */
  accept(deliveries: Delivery[]): void {
    const { weather, clock } = this.#cloud;
    const due = () => {
      if (weather.strikes('delay')) return clock.now() + Math.round(weather.random() * 2000);
      return clock.now() + (weather.strikes('reorder') ? Math.round(weather.random() * 100) : 0);
    };
    const copies = deliveries.flatMap((each) => (weather.strikes('duplicate') ? [each, each] : [each]));
    this.#store.add(copies.map((delivery) => ({ delivery, due: due() })));
    if (copies.length > 0) setImmediate(() => this.#pump());
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#cancelTimer();
    await Promise.allSettled(this.#inFlight.values());
    this.#store.database.close();
  }

  #pump(): void {
    if (!this.#started) return;
    const { clock } = this.#cloud;
    for (const delivery of this.#store.due(clock.now(), 2 * atOnce)) {
      if (this.#inFlight.size >= atOnce) return;
      if (this.#inFlight.has(delivery.id)) continue;
      const work = this.#deliver(delivery).finally(() => {
        this.#inFlight.delete(delivery.id);
        this.#pump();
      });
      this.#inFlight.set(delivery.id, work);
    }
    this.#cancelTimer();
    const next = this.#store.next(clock.now());
    if (next !== undefined) this.#cancelTimer = clock.after(next - clock.now(), () => this.#pump());
  }

  async #deliver(delivery: WaitingDelivery): Promise<void> {
    const { id, attempts, deadline, maxAttempts } = delivery;
    try {
      await this.#send(delivery);
    } catch (error) {
      const due = this.#cloud.clock.now() + retryDelay(attempts, this.#cloud.weather.random());
      if (isTransient(error) && attempts < maxAttempts && due <= deadline) {
        this.#store.again(id, attempts + 1, due);
        return;
      }
      await this.#bury(delivery, error);
    }
    this.#store.remove(id);
  }

  async #send({ ruleArn, targetArn, input, groupId }: Delivery): Promise<void> {
    const caller = this.#caller(ruleArn);
    if (targetArn.startsWith('arn:aws:sqs:')) {
      await this.#queues.send({ caller, queueArn: targetArn, body: input, groupId });
    } else await this.#targets.deliver(targetArn, JSON.parse(input), caller);
  }

  #caller(ruleArn: string): Caller {
    const sourceAccount = this.#cloud.account;
    return { kind: 'service', service: 'events.amazonaws.com', sourceArn: ruleArn, sourceAccount };
  }

  /** To the target's dead-letter queue, with the reasons as attributes; without one the event is lost, as on AWS. */
  async #bury(delivery: WaitingDelivery, error: unknown): Promise<void> {
    const { ruleArn, targetArn, input, deadLetterArn, attempts } = delivery;
    const message = error instanceof Error ? error.message : String(error);
    const lost = (why: string) =>
      this.#cloud.print(`lost: an event of ${ruleArn} could not reach ${targetArn} (${message}) ${why}`);
    if (deadLetterArn === undefined) return lost('and the target has no dead-letter queue');
    const attributes: Record<string, string> = {
      RULE_ARN: ruleArn,
      TARGET_ARN: targetArn,
      ERROR_CODE: deadLetterCode(error),
      ERROR_MESSAGE: message.slice(0, 1024) || 'unknown',
      RETRY_ATTEMPTS: String(attempts),
    };
    const messageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    );
    try {
      const caller = this.#caller(ruleArn);
      await this.#queues.send({ caller, queueArn: deadLetterArn, body: input, messageAttributes });
    } catch (second) {
      lost(`nor its dead-letter queue (${second instanceof Error ? second.message : String(second)})`);
    }
  }
}

/** Missing permission, a missing target and malformed input do not get better; all else may. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof AwsError)) return true;
  return error.status >= 500 || error.status === 429 || /throttl|toomany|rateexceeded/i.test(error.code);
}

function deadLetterCode(error: unknown): string {
  if (!(error instanceof AwsError)) return 'INTERNAL_ERROR';
  if (/accessdenied/i.test(error.code)) return 'NO_PERMISSIONS';
  return /notfound|doesnotexist/i.test(error.code) ? 'NO_RESOURCE' : 'SDK_CLIENT_ERROR';
}

/** Milliseconds: from a second on twice as long each time, up to ten minutes, with jitter. AWS does not tell its own. */
export function retryDelay(attempts: number, random: number): number {
  const longest = Math.min(600_000, 1000 * 2 ** attempts);
  return Math.round(longest / 2 + (random * longest) / 2);
}
