import * as z from 'zod';
import type { Caller, Cloud } from '../cloud.ts';
import type { SqsSource } from './sqs-source.ts';

/** Where what failed for good goes; of AWS's targets, a queue. */
export const destinationConfig = z.strictObject({
  OnFailure: z
    .strictObject({
      Destination: z.string().regex(/^arn:aws:sqs:/, 'only an SQS queue can be a destination here'),
    })
    .optional(),
});
export type DestinationConfig = z.infer<typeof destinationConfig>;

/** Sends records of failure to a queue with the function's role. A refusal is printed: nobody else hears of it. */
export class FailureDestination {
  readonly #cloud: Cloud;
  readonly #queues: SqsSource | undefined;
  readonly #caller: Caller;
  readonly #queueArn: string;

  constructor(cloud: Cloud, queues: SqsSource | undefined, caller: Caller, queueArn: string) {
    this.#cloud = cloud;
    this.#queues = queues;
    this.#caller = caller;
    this.#queueArn = queueArn;
  }

  async send(record: unknown): Promise<void> {
    try {
      if (this.#queues === undefined) throw new Error('there are no queues');
      await this.#queues.send({
        caller: this.#caller,
        queueArn: this.#queueArn,
        body: JSON.stringify(record),
      });
    } catch (error) {
      this.#cloud.print(
        `a failed event is lost, ${this.#queueArn} did not take it: ${(error as Error).message}`,
      );
    }
  }
}
