import type { Caller, Cloud } from '../../cloud.ts';
import type { Outcome } from '../instance/instance.ts';
import { limits } from '../limits.ts';
import type { QueueMessage, QueueMessageAttribute, SqsSource } from '../sqs-source.ts';
import { failedItems } from './batch-response.ts';
import type { MappingProperties } from './mapping-properties.ts';

export interface SqsMappingGiven {
  cloud: Cloud;
  queues: SqsSource;
  /** The function's role. */
  caller: Caller;
  properties: MappingProperties;
  /** Runs the function with an event. */
  run(event: unknown): Promise<Outcome>;
}

/** What one receive call of AWS gives at most. */
const perReceive = 10;
/** Pollers of a mapping that nothing limits. */
const usualConcurrency = 5;
/** Looks again after this long though nobody called: hidden and delayed messages come back by time (milliseconds). */
const lookAgain = 1_000;

/**
 * Feeds a function from a queue. What the handler did not report as failed is deleted; the rest is left alone and
 * comes back when its visibility timeout ends.
 */
export class SqsMapping {
  readonly #given: SqsMappingGiven;
  readonly #batchSize: number;
  readonly #concurrency: number;
  readonly #running = new Set<Promise<void>>();
  #polling: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #unsubscribe: () => void = () => {};
  #cancelTimer: () => void = () => {};

  constructor(given: SqsMappingGiven) {
    this.#given = given;
    this.#batchSize = given.properties.BatchSize ?? 10;
    this.#concurrency = given.properties.ScalingConfig?.MaximumConcurrency ?? usualConcurrency;
  }

  start(): void {
    const { queues, properties } = this.#given;
    this.#unsubscribe = queues.onMessage(properties.EventSourceArn, () => this.#wake());
    this.#wake();
  }

  /** Takes no more messages and waits for the batches in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#cancelTimer();
    await this.#polling;
    await Promise.all(this.#running);
  }

  #wake(): void {
    this.#again = true;
    if (this.#stopped || this.#polling !== undefined) return;
    this.#polling = this.#poll().finally(() => {
      this.#polling = undefined;
      this.#cancelTimer();
      if (this.#stopped) return;
      this.#cancelTimer = this.#given.cloud.clock.after(lookAgain, () => this.#wake());
      // Called between the last look and now.
      if (this.#again && this.#running.size < this.#concurrency) this.#wake();
    });
  }

  async #poll(): Promise<void> {
    try {
      while (this.#again && !this.#stopped && this.#running.size < this.#concurrency) {
        this.#again = false;
        const messages = await this.#gather();
        if (messages.length === 0) continue;
        this.#again = true;
        const work = this.#handle(messages).finally(() => {
          this.#running.delete(work);
          this.#wake();
        });
        this.#running.add(work);
      }
    } catch (error) {
      this.#again = false;
      this.#given.cloud.print(
        `${this.#given.properties.EventSourceArn} cannot be read: ${(error as Error).message}`,
      );
    }
  }

  async #gather(): Promise<QueueMessage[]> {
    const { cloud, queues, caller, properties } = this.#given;
    const queueArn = properties.EventSourceArn;
    const window = properties.MaximumBatchingWindowInSeconds * 1000;
    const receive = (max: number) =>
      queues.receive({ caller, queueArn, max: Math.min(max, perReceive), waitMs: 0 });
    const messages = await receive(this.#batchSize);
    if (messages.length === 0 || window === 0) return messages;
    const closesAt = cloud.clock.now() + window;
    while (messages.length < this.#batchSize && !this.#stopped && sizeOf(messages) < limits.syncRequest) {
      const more = await receive(this.#batchSize - messages.length);
      messages.push(...more);
      const left = closesAt - cloud.clock.now();
      if (left <= 0) break;
      if (more.length === 0)
        await new Promise<void>((go) => cloud.clock.after(Math.min(left, lookAgain / 10), go));
    }
    return messages;
  }

  async #handle(messages: QueueMessage[]): Promise<void> {
    const wanted: QueueMessage[] = [];
    for (const message of messages) {
      if (this.#isWanted(message)) wanted.push(message);
      else await this.#delete(message);
    }
    for (const batch of batchesOf(wanted)) await this.#handOver(batch);
  }

  async #handOver(batch: QueueMessage[]): Promise<void> {
    const outcome = await this.#given.run({ Records: batch.map((message) => this.#recordOf(message)) });
    if (!outcome.ok) return;
    const reports = this.#given.properties.FunctionResponseTypes.includes('ReportBatchItemFailures');
    const failed = reports
      ? failedItems(
          outcome.payload,
          batch.map((message) => message.messageId),
        )
      : new Set<string>();
    if (failed === 'all') return;
    for (const message of batch) if (!failed.has(message.messageId)) await this.#delete(message);
  }

  async #delete({ receiptHandle }: QueueMessage): Promise<void> {
    const { cloud, queues, caller, properties } = this.#given;
    try {
      await queues.delete({ caller, queueArn: properties.EventSourceArn, receiptHandle });
    } catch (error) {
      // It comes back and is handled twice, as it would on AWS.
      cloud.print(`a handled message of ${properties.EventSourceArn} stays: ${(error as Error).message}`);
    }
  }

  #isWanted(message: QueueMessage): boolean {
    const filters = this.#given.properties.FilterCriteria?.Filters ?? [];
    if (filters.length === 0) return true;
    const record = { ...this.#recordOf(message), body: parsed(message.body) };
    return filters.some(({ Pattern }) => Pattern(record));
  }

  #recordOf(message: QueueMessage) {
    const attributes = Object.entries(message.messageAttributes).map(([name, attribute]) => [
      name,
      eventForm(attribute),
    ]);
    return {
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: message.attributes,
      messageAttributes: Object.fromEntries(attributes) as Record<string, unknown>,
      ...(message.md5OfMessageAttributes !== undefined && {
        md5OfMessageAttributes: message.md5OfMessageAttributes,
      }),
      md5OfBody: message.md5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: this.#given.properties.EventSourceArn,
      awsRegion: this.#given.cloud.region,
    };
  }
}

const eventForm = ({ DataType, StringValue, BinaryValue }: QueueMessageAttribute) => ({
  ...(typeof StringValue === 'string' && { stringValue: StringValue }),
  ...(typeof BinaryValue === 'string' && { binaryValue: BinaryValue }),
  stringListValues: [],
  binaryListValues: [],
  dataType: DataType,
});

const overhead = 2_048;
const sizeOf = (messages: QueueMessage[]): number =>
  messages.reduce((sum, { body }) => sum + Buffer.byteLength(JSON.stringify(body)) + overhead, 0);

/** Splits what would not fit in one invocation of 6 MB. */
function batchesOf(messages: QueueMessage[]): QueueMessage[][] {
  const batches: QueueMessage[][] = [];
  for (const message of messages) {
    const last = batches.at(-1);
    if (last !== undefined && sizeOf([...last, message]) < limits.syncRequest) last.push(message);
    else batches.push([message]);
  }
  return batches;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
