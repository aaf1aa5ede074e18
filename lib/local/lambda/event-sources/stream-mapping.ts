import type { Caller, Cloud } from '../../cloud.ts';
import type { FailureDestination } from '../failure-destination.ts';
import type { Outcome } from '../instance/instance.ts';
import type { StreamRecord, StreamSource } from '../stream-source.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { MappingProperties } from './mapping-properties.ts';
import { StreamBatch } from './stream-batch.ts';

export interface StreamMappingGiven {
  cloud: Cloud;
  streams: StreamSource;
  /** The function's role. */
  caller: Caller;
  /** Stable over restarts; names the checkpoint. */
  id: string;
  functionArn: string;
  properties: MappingProperties;
  checkpoints: Checkpoints;
  onFailure: FailureDestination | undefined;
  run(event: unknown): Promise<Outcome>;
}

/** Records of one GetRecords call at most. */
const perRead = 1_000;
/** Looks again after this long though nobody called (milliseconds). */
const lookAgain = 1_000;

/** Feeds a function from a table's stream: one batch at a time, in order, going on only when a batch is settled. */
export class StreamMapping {
  readonly #given: StreamMappingGiven;
  readonly #stopping = Promise.withResolvers<void>();
  #stopped = false;
  #work: Promise<void> | undefined;
  #again = false;
  #unsubscribe: () => void = () => {};
  #cancelTimer: () => void = () => {};

  constructor(given: StreamMappingGiven) {
    this.#given = given;
  }

  start(): void {
    const { streams, properties } = this.#given;
    this.#unsubscribe = streams.onStream(properties.EventSourceArn, () => this.#wake());
    this.#wake();
  }

  /** Waits for the batch in hand; what is not settled by then comes again after a restart. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#cancelTimer();
    this.#stopping.resolve();
    await this.#work;
  }

  #wake(): void {
    this.#again = true;
    if (this.#stopped || this.#work !== undefined) return;
    this.#work = this.#follow().finally(() => {
      this.#work = undefined;
      this.#cancelTimer();
      if (this.#stopped) return;
      this.#cancelTimer = this.#given.cloud.clock.after(lookAgain, () => this.#wake());
      // Called between the last look and now.
      if (this.#again) this.#wake();
    });
  }

  async #follow(): Promise<void> {
    const { cloud, properties } = this.#given;
    try {
      if (this.#position() === undefined) this.#begin();
      while (this.#again && !this.#stopped) {
        this.#again = false;
        const records = await this.#gather();
        if (records.length === 0) continue;
        this.#again = true;
        await this.#settle(records);
      }
    } catch (error) {
      this.#again = false;
      cloud.print(`${properties.EventSourceArn} cannot be read: ${(error as Error).message}`);
    }
  }

  /** A new mapping starts with the oldest record kept or, for LATEST, behind the newest. */
  #begin(): void {
    const { streams, properties } = this.#given;
    const latest = properties.StartingPosition === 'LATEST';
    this.#moveTo(latest ? streams.latestSequence(properties.EventSourceArn) : 'TRIM_HORIZON');
  }

  async #gather(): Promise<StreamRecord[]> {
    const { BatchSize = 100, MaximumBatchingWindowInSeconds: window } = this.#given.properties;
    const limit = Math.min(BatchSize, perRead);
    const records = this.#read(limit);
    if (window === 0 || records.length === 0 || records.length >= limit) return records;
    await this.#sleep(window * 1000);
    return this.#stopped ? [] : this.#read(limit);
  }

  async #settle(records: StreamRecord[]): Promise<void> {
    const { cloud, properties, functionArn, onFailure, run } = this.#given;
    const filters = properties.FilterCriteria?.Filters ?? [];
    const wanted = records.filter(
      (record) => filters.length === 0 || filters.some(({ Pattern }) => Pattern({ ...record })),
    );
    if (wanted.length > 0) {
      const batch = new StreamBatch({
        ...{ cloud, properties, functionArn, onFailure, run },
        done: (last) => this.#moveTo(last.dynamodb.SequenceNumber),
        sleep: (ms) => this.#sleep(ms),
        stopped: () => this.#stopped,
      });
      await batch.settle(wanted);
    }
    if (!this.#stopped) this.#moveTo(records.at(-1)!.dynamodb.SequenceNumber);
  }

  #read(limit: number): StreamRecord[] {
    const { streams, caller, properties } = this.#given;
    return streams.readStream(caller, properties.EventSourceArn, this.#position()!, limit);
  }

  #position(): string | undefined {
    return this.#given.checkpoints.read(this.#given.id, this.#given.properties.EventSourceArn);
  }

  #moveTo(position: string): void {
    this.#given.checkpoints.write(this.#given.id, this.#given.properties.EventSourceArn, position);
  }

  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#given.cloud.clock.after(ms, resolve);
    await Promise.race([promise, this.#stopping.promise]);
    cancel();
  }
}
