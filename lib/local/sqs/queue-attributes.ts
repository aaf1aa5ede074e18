import { AwsError } from '../aws-error.ts';
import type { Counter } from './counter.ts';
import type { Queue } from './queue.ts';

/** GetQueueAttributes: those asked for by name, or `All`; InvalidAttributeName for a name that is none. */
export function queueAttributes(counter: Counter, queue: Queue, wanted: string[]): Record<string, string> {
  const all = everyAttribute(counter, queue);
  const unknown = wanted.find((name) => name !== 'All' && !(name in all));
  if (unknown !== undefined) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
  const chosen = Object.entries(all).filter(([name, value]) => {
    return value !== undefined && (wanted.includes('All') || wanted.includes(name));
  });
  return Object.fromEntries(chosen) as Record<string, string>;
}

function everyAttribute(
  counter: Counter,
  { settings, created, policy }: Queue,
): Record<string, string | undefined> {
  const now = counter.cloud.clock.now();
  const counts = counter.store.counts(settings.name, now, now - settings.retention);
  const seconds = (ms: number) => String(Math.floor(ms / 1000));
  const { redrive, redriveAllow, fifo } = settings;
  return {
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    CreatedTimestamp: seconds(created),
    LastModifiedTimestamp: seconds(created),
    DelaySeconds: seconds(settings.delay),
    MaximumMessageSize: String(settings.maxMessage),
    MessageRetentionPeriod: seconds(settings.retention),
    QueueArn: settings.arn,
    ReceiveMessageWaitTimeSeconds: seconds(settings.wait),
    VisibilityTimeout: seconds(settings.visibility),
    SqsManagedSseEnabled: 'true',
    Policy: policy && JSON.stringify(policy),
    RedrivePolicy:
      redrive && JSON.stringify({ deadLetterTargetArn: redrive.arn, maxReceiveCount: redrive.maxReceives }),
    RedriveAllowPolicy: JSON.stringify({
      redrivePermission: redriveAllow.permission,
      ...(redriveAllow.permission === 'byQueue' && { sourceQueueArns: redriveAllow.sources }),
    }),
    FifoQueue: fifo ? 'true' : undefined,
    ContentBasedDeduplication: fifo ? String(settings.contentBasedDeduplication) : undefined,
    DeduplicationScope: fifo ? (settings.deduplicatesByGroup ? 'messageGroup' : 'queue') : undefined,
  };
}
