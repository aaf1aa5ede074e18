import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { Cloud } from '../cloud.ts';
import { destinationConfig } from './failure-destination.ts';
import type { FailureDestination } from './failure-destination.ts';
import type { FunctionError } from './instance/messages.ts';
import type { Outcome } from './instance/instance.ts';

/** AWS::Lambda::EventInvokeConfig. */
export const eventInvokeConfigProperties = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST'),
  MaximumEventAgeInSeconds: z.coerce.number().int().min(60).max(21_600).default(21_600),
  MaximumRetryAttempts: z.coerce.number().int().min(0).max(2).default(2),
  DestinationConfig: destinationConfig.optional(),
});

export type EventInvokeConfig = z.infer<typeof eventInvokeConfigProperties>;

export interface AsyncPolicy {
  retries: number;
  /** Milliseconds. */
  maxAge: number;
  onFailure?: FailureDestination | undefined;
}
export const usualPolicy: AsyncPolicy = { retries: 2, maxAge: 21_600_000 };

/** Milliseconds before the second and the third attempt (Lambda developer guide, "Asynchronous invocation"). */
const delays = [60_000, 120_000];

interface Row {
  id: string;
  request_id: string;
  function: string;
  payload: string;
  attempts: number;
  due: number;
  accepted: number;
}

export interface AsyncEventsGiven {
  cloud: Cloud;
  database: DatabaseSync;
  run(functionName: string, payload: string, requestId: string): Promise<Outcome>;
  knows(functionName: string): boolean;
  arnOf(functionName: string): string;
  policyOf(functionName: string): AsyncPolicy;
}

/** Events that Lambda has accepted and answers for: kept until handled, tried up to three times, then given up. */
export class AsyncEvents {
  static readonly schema = `CREATE TABLE IF NOT EXISTS async_event (
    id TEXT PRIMARY KEY, request_id TEXT NOT NULL, function TEXT NOT NULL, payload TEXT NOT NULL,
    attempts INTEGER NOT NULL, due REAL NOT NULL, accepted REAL NOT NULL) STRICT`;

  readonly #given: AsyncEventsGiven;
  readonly #running = new Set<Promise<void>>();
  #state: 'waiting' | 'started' | 'stopped' = 'waiting';

  constructor(given: AsyncEventsGiven) {
    this.#given = given;
  }

  /** Returns when the event would survive the end of the process. */
  accept(functionName: string, payload: string, requestId: string): void {
    const { weather, clock } = this.#given.cloud;
    const now = clock.now();
    const copies = weather.strikes('duplicate') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const due = now + (weather.strikes('delay') ? weather.random() * 2_000 : 0);
      const row = { id: randomUUID(), request_id: requestId, function: functionName, payload, attempts: 0 };
      this.#save({ ...row, due, accepted: now });
      this.#schedule({ ...row, due, accepted: now });
    }
  }

  /** Takes up what an earlier run of the process left. */
  start(): void {
    this.#state = 'started';
    const rows = this.#given.database.prepare('SELECT * FROM async_event ORDER BY accepted').all();
    for (const row of rows as unknown as Row[]) {
      // A function that left the template takes its events with it.
      if (this.#given.knows(row.function)) this.#schedule(row);
      else this.#forget(row);
    }
  }

  /** Events in hand are finished; what fails from now on stays for the next start. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    await Promise.all(this.#running);
  }

  #schedule(row: Row): void {
    if (this.#state !== 'started') return;
    const wait = row.due - this.#given.cloud.clock.now();
    if (wait <= 0) return this.#launch(row);
    this.#given.cloud.clock.after(wait, () => this.#launch(row));
  }

  #launch(row: Row): void {
    if (this.#state !== 'started') return;
    const work = this.#attempt(row).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async #attempt(row: Row): Promise<void> {
    const { cloud, run, policyOf } = this.#given;
    const outcome = await run(row.function, row.payload, row.request_id);
    if (outcome.ok) return this.#forget(row);
    if (this.#stopped()) return;
    const attempts = row.attempts + 1;
    const policy = policyOf(row.function);
    const due = cloud.clock.now() + delays[Math.min(attempts, delays.length) - 1]!;
    const tooOld = due - row.accepted > policy.maxAge;
    if (attempts > policy.retries || tooOld) {
      const condition = attempts > policy.retries ? 'RetriesExhausted' : 'EventAgeExceeded';
      await policy.onFailure?.send(this.#recordOf({ ...row, attempts }, outcome.error, condition));
      return this.#forget(row);
    }
    const again = { ...row, attempts, due };
    this.#save(again);
    this.#schedule(again);
  }

  #recordOf(row: Row, error: FunctionError, condition: string): unknown {
    return {
      version: '1.0',
      timestamp: new Date(this.#given.cloud.clock.now()).toISOString(),
      requestContext: {
        requestId: row.request_id,
        functionArn: `${this.#given.arnOf(row.function)}:$LATEST`,
        condition,
        approximateInvokeCount: row.attempts,
      },
      requestPayload: JSON.parse(row.payload) as unknown,
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: error,
    };
  }

  #stopped(): boolean {
    return this.#state === 'stopped';
  }

  #save(row: Row): void {
    this.#given.database
      .prepare(
        `INSERT OR REPLACE INTO async_event (id, request_id, function, payload, attempts, due, accepted)
        VALUES ($id, $request_id, $function, $payload, $attempts, $due, $accepted)`,
      )
      .run({ ...row });
  }

  #forget(row: Row): void {
    this.#given.database.prepare('DELETE FROM async_event WHERE id = ?').run(row.id);
  }
}
