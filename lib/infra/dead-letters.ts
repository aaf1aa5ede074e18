import { Duration, Stack, Tags } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { deadLettersTag, type DeadLettersOf } from '../contract/dead-letters.ts';

/** A queue for what a function failed at every time, kept as long as SQS keeps anything: 14 days. */
export function deadLetters(scope: Construct, id: string, of: DeadLettersOf): Queue {
  const queue = new Queue(scope, id, {
    retentionPeriod: Duration.days(14),
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
  });
  // `posthorn redrive` finds it by this.
  Tags.of(queue).add(deadLettersTag, `${Stack.of(scope).stackName}/${of}`);
  return queue;
}
