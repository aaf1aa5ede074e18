import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.ts';
import type { FailureDestination } from '../failure-destination.ts';
import type { Outcome } from '../instance/instance.ts';
import type { StreamRecord } from '../stream-source.ts';
import { failedItems } from './batch-response.ts';
import type { MappingProperties } from './mapping-properties.ts';

export interface StreamBatchGiven {
  cloud: Cloud;
  properties: MappingProperties;
  functionArn: string;
  onFailure: FailureDestination | undefined;
  run(event: unknown): Promise<Outcome>;
  /** Told of the last record of what is settled, so that it is not read again. */
  done(last: StreamRecord): void;
  sleep(ms: number): Promise<void>;
  stopped(): boolean;
}

/** A stream keeps a record for a day; what has not been taken by then is gone (milliseconds). */
const retention = 24 * 3600 * 1000;
const shortestPause = 100;
const longestPause = 30_000;

interface Part {
  records: StreamRecord[];
  attempts: number;
}

/** Brings one batch to its end: handled, or given up after its retries or its age, in order and part by part. */
export class StreamBatch {
  readonly #given: StreamBatchGiven;

  constructor(given: StreamBatchGiven) {
    this.#given = given;
  }

  async settle(records: StreamRecord[]): Promise<void> {
    const parts: Part[] = [{ records, attempts: 0 }];
    while (parts.length > 0 && !this.#given.stopped()) {
      const part = await this.#withoutExpired(parts.shift()!);
      if (part.records.length > 0) parts.unshift(...(await this.#attempt(part)));
    }
  }

  /** Runs the function once; answers what remains to be tried. */
  async #attempt({ records, attempts }: Part): Promise<Part[]> {
    const { run, stopped, done, properties, cloud } = this.#given;
    const outcome = await run({ Records: records.map((record) => this.#eventOf(record)) });
    if (stopped() && !outcome.ok) return [];
    const failedAt = this.#firstFailed(records, outcome);
    if (failedAt > 0) done(records[failedAt - 1]!);
    const rest = records.slice(failedAt);
    if (rest.length === 0) {
      if (cloud.weather.strikes('duplicate'))
        await run({ Records: records.map((record) => this.#eventOf(record)) });
      return [];
    }
    if (properties.BisectBatchOnFunctionError && rest.length > 1) {
      // Splitting is not a retry; a batch that reports where it failed is split there.
      const middle = Math.ceil(rest.length / 2);
      const halves = failedAt > 0 ? [rest] : [rest.slice(0, middle), rest.slice(middle)];
      return halves.map((half) => ({ records: half, attempts }));
    }
    if (properties.MaximumRetryAttempts >= 0 && attempts >= properties.MaximumRetryAttempts) {
      await this.#giveUp(rest, 'RetryAttemptsExhausted', attempts + 1);
      return [];
    }
    await this.#given.sleep(Math.min(shortestPause * 2 ** attempts, longestPause));
    return [{ records: rest, attempts: attempts + 1 }];
  }

  /** Place of the first record to be tried again; the number of records when there is none. */
  #firstFailed(records: StreamRecord[], outcome: Outcome): number {
    if (!outcome.ok) return 0;
    if (!this.#given.properties.FunctionResponseTypes.includes('ReportBatchItemFailures'))
      return records.length;
    const numbers = records.map((record) => record.dynamodb.SequenceNumber);
    const failed = failedItems(outcome.payload, numbers);
    if (failed === 'all') return 0;
    const first = numbers.findIndex((number) => failed.has(number));
    return first < 0 ? records.length : first;
  }

  async #withoutExpired({ records, attempts }: Part): Promise<Part> {
    const { MaximumRecordAgeInSeconds: age } = this.#given.properties;
    const oldest = this.#given.cloud.clock.now() - (age < 0 ? retention : age * 1000);
    const expired = records.filter((record) => record.dynamodb.ApproximateCreationDateTime * 1000 < oldest);
    if (expired.length === 0) return { records, attempts };
    await this.#giveUp(expired, 'RecordAgeExceeded', attempts);
    return { records: records.filter((record) => !expired.includes(record)), attempts };
  }

  async #giveUp(records: StreamRecord[], condition: string, invokes: number): Promise<void> {
    const { cloud, functionArn, properties, onFailure, done } = this.#given;
    const [first, last] = [records[0]!.dynamodb, records.at(-1)!.dynamodb];
    const time = (seconds: number) => new Date(seconds * 1000).toISOString();
    cloud.print(`${functionArn} gave up ${records.length} stream records: ${condition}`);
    await onFailure?.send({
      requestContext: { requestId: randomUUID(), functionArn, condition, approximateInvokeCount: invokes },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: new Date(cloud.clock.now()).toISOString(),
      DDBStreamBatchInfo: {
        shardId: 'shardId-00000000000000000000-00000000',
        startSequenceNumber: first.SequenceNumber,
        endSequenceNumber: last.SequenceNumber,
        approximateArrivalOfFirstRecord: time(first.ApproximateCreationDateTime),
        approximateArrivalOfLastRecord: time(last.ApproximateCreationDateTime),
        batchSize: records.length,
        streamArn: properties.EventSourceArn,
      },
    });
    done(records.at(-1)!);
  }

  #eventOf(record: StreamRecord): unknown {
    return { ...record, eventSource: 'aws:dynamodb', eventSourceARN: this.#given.properties.EventSourceArn };
  }
}
