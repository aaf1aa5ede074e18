import { join } from 'node:path';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Caller, Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { allowedStream, trimHorizon } from './calls/streams.ts';
import { operations } from './operations.ts';
import { validation } from './errors.ts';
import { Meter } from './meter.ts';
import { resourceTypes } from './resources.ts';
import type { Engine, Session } from './session.ts';
import { Catalog } from './store/catalog.ts';
import { Database } from './store/database.ts';
import { RequestTokens } from './store/request-tokens.ts';
import type { StreamRecord } from './store/streams.ts';
import { sequenceOf, sequenceText } from './store/streams.ts';
import { TableStore } from './store/table-store.ts';
import { Sweeper } from './store/ttl.ts';
import { answer, errorAnswer, readBody } from './wire.ts';

export type { StreamRecord } from './store/streams.ts';

/**
 * DynamoDB and its streams, in one SQLite file under `<home>/dynamodb`. Each call is one transaction there.
 */
export class DynamoDb implements Service {
  readonly scopes = ['dynamodb'] as const;
  readonly resources: readonly ResourceType[];
  readonly #cloud: Cloud;
  readonly #engine: Engine;
  readonly #database: Database;
  readonly #sweeper: Sweeper;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#database = new Database(join(cloud.home, 'dynamodb', 'db.sqlite'), cloud.durable);
    const now = () => cloud.clock.now();
    const store = new TableStore(this.#database, now, (arn) => this.#announce(arn));
    const catalog = new Catalog(store, { account: cloud.account, region: cloud.region, now });
    this.#engine = { cloud, store, catalog, tokens: new RequestTokens(this.#database) };
    this.#sweeper = new Sweeper(store, () => catalog.all(), cloud.clock);
    this.resources = resourceTypes(catalog, cloud.region);
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      const input = await readBody(request);
      return answer(this.call(request.headers['x-amz-target'] ?? '', input, request.caller));
    } catch (error) {
      if (error instanceof AwsError) return errorAnswer(error);
      throw error;
    }
  }

  /** One API call in process: `target` as in X-Amz-Target, `input` the request's JSON. Throws AwsError. */
  call(target: string, input: unknown, caller: Caller): object {
    const operation = operations.get(target);
    const action = target.slice(target.indexOf('.') + 1);
    if (operation === undefined) {
      throw new AwsError(
        'UnknownOperationException',
        `The local cloud's DynamoDB does not offer ${action || 'a call without X-Amz-Target'}; ` +
          'tables come from the template',
      );
    }
    const session = this.#session(caller, new Meter(operation.factor));
    try {
      if (operation.data) this.#perhapsThrottle();
      const output = operation.call(session, input);
      this.#record(action, session);
      return output;
    } catch (error) {
      this.#record(action, session, error);
      throw error;
    }
  }

  /**
   * Up to `limit` records of a stream, in order, after a sequence number or `TRIM_HORIZON`; empty when there
   * is nothing new. The caller needs what a Lambda event source mapping needs: DescribeStream,
   * GetShardIterator and GetRecords. `LATEST` is the end of the stream as it is now: take `latestSequence`
   * first and read after that.
   */
  readStream(caller: Caller, streamArn: string, after: string, limit: number): StreamRecord[] {
    const session = this.#session(caller, new Meter());
    for (const action of ['DescribeStream', 'GetShardIterator']) allowedStream(session, action, streamArn);
    const stream = allowedStream(session, 'GetRecords', streamArn);
    if (after === 'LATEST') return [];
    const sequence = after === 'TRIM_HORIZON' ? 0 : sequenceOf(after);
    if (sequence === undefined) throw validation(`${after} is no sequence number of this stream`);
    const { records } = this.#engine.store;
    return records.after(stream, sequence, trimHorizon(session), limit, this.#cloud.region);
  }

  /** The sequence number after which `readStream` answers only what is written from now on. */
  latestSequence(streamArn: string): string {
    if (this.#engine.catalog.byStream(streamArn) === undefined)
      throw new Error(`there is no stream ${streamArn}`);
    return sequenceText(this.#engine.store.records.last());
  }

  /** Calls the listener after each commit that wrote to the stream; the answer ends that. */
  onStream(streamArn: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(streamArn) ?? new Set();
    this.#listeners.set(streamArn, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#sweeper.stop();
    this.#listeners.clear();
    this.#database.close();
  }

  #session(caller: Caller, meter: Meter): Session {
    return { engine: this.#engine, caller, meter };
  }

  #announce(arn: string): void {
    // Not within the writer's call: what a listener does or throws is not the writer's.
    for (const listener of this.#listeners.get(arn) ?? []) queueMicrotask(listener);
  }

  #perhapsThrottle(): void {
    if (!this.#cloud.weather.strikes('throttle')) return;
    if (this.#cloud.weather.random() < 0.5) {
      throw new AwsError(
        'ThrottlingException',
        'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your ' +
          'table or index so please try again shortly.',
      );
    }
    throw new AwsError(
      'ProvisionedThroughputExceededException',
      'The level of configured provisioned throughput for the table was exceeded.',
    );
  }

  #record(action: string, { caller, meter }: Session, error?: unknown): void {
    const { read, write } = meter.total();
    this.#cloud.record({
      service: 'dynamodb',
      action,
      by: callerName(caller),
      ...(read > 0 ? { readUnits: read } : {}),
      ...(write > 0 ? { writeUnits: write } : {}),
      ...(error instanceof Error ? { error: error.name } : {}),
    });
  }
}
