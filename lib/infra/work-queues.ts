import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DeadLettersOf } from '../contract/dead-letters.ts';
import { deadLetters } from './dead-letters.ts';

/** A queue of nudges and where those go that nobody could act on five times. */
interface WorkQueue {
  queue: Queue;
  deadLetters: Queue;
}

/** Timeouts of the functions that work off the queues; the visibility of a message is made from them. */
export const workTimeouts = { deliveries: Duration.minutes(1), removals: Duration.minutes(15) };

/**
 * Where rows of work are told of: `publish-event` sends, the function of each queue takes. Standard queues with fair
 * groups: a message holds no more than the name of a row, so that an order or a repeat changes nothing.
 */
export class WorkQueues extends Construct {
  /** Tries of webhooks. AWS asks for six times the function's timeout, so that a throttled batch is not handed out twice. */
  readonly deliveries: WorkQueue;
  /** Inboxes that are taken down. A step goes on where the last one ended; a little more than its timeout is enough. */
  readonly removals: WorkQueue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.deliveries = this.#queue(
      'deliveries',
      'deliver-webhook',
      Duration.seconds(workTimeouts.deliveries.toSeconds() * 6),
    );
    this.removals = this.#queue('removals', 'remove-inbox', workTimeouts.removals.plus(Duration.minutes(5)));
  }

  #queue(name: keyof typeof workTimeouts, of: DeadLettersOf, visibilityTimeout: Duration): WorkQueue {
    const dead = deadLetters(this, `${name}-dead-letters`, of);
    const queue = new Queue(this, name, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout,
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: dead, maxReceiveCount: 5 },
    });
    return { queue, deadLetters: dead };
  }
}
