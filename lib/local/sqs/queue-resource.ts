import * as z from 'zod';
import type { ResourceType } from '../cloud.ts';
import { enforceablePolicy } from '../iam/enforceable-policy.ts';
import { ignored } from '../ignored.ts';
import type { Queue, QueueSettings } from './queue.ts';

const number = (min: number, max: number) => z.coerce.number().int().min(min).max(max).optional();

const queueProperties = z.strictObject({
  QueueName: z.string().optional(),
  FifoQueue: z.boolean().optional(),
  ContentBasedDeduplication: z.boolean().optional(),
  DeduplicationScope: z.enum(['queue', 'messageGroup']).optional(),
  FifoThroughputLimit: ignored('the local queue has no such limit'),
  DelaySeconds: number(0, 900),
  VisibilityTimeout: number(0, 43_200),
  ReceiveMessageWaitTimeSeconds: number(0, 20),
  MessageRetentionPeriod: number(60, 1_209_600),
  MaximumMessageSize: number(1024, 1_048_576),
  SqsManagedSseEnabled: ignored('encryption at rest shows nowhere'),
  RedrivePolicy: z
    .strictObject({
      deadLetterTargetArn: z.string(),
      maxReceiveCount: z.coerce.number().int().min(1).max(1000),
    })
    .optional(),
  RedriveAllowPolicy: z
    .strictObject({
      redrivePermission: z.enum(['allowAll', 'denyAll', 'byQueue']),
      sourceQueueArns: z.array(z.string()).optional(),
    })
    .optional(),
  Tags: z
    .array(z.strictObject({ Key: z.string(), Value: z.string() }))
    .max(50)
    .optional(),
});
type QueueProperties = z.infer<typeof queueProperties>;

const policyProperties = z.strictObject({ PolicyDocument: enforceablePolicy, Queues: z.array(z.string()) });

/** What the resource types need of the service. */
export interface Queues {
  region: string;
  account: string;
  /** Origin of the local endpoint, which queue addresses begin with. */
  endpoint: () => string;
  byArn(arn: string): Queue | undefined;
  byUrl(url: string): Queue;
  add(settings: QueueSettings): void;
}

/** `AWS::SQS::Queue` and `AWS::SQS::QueuePolicy`. */
export function queueResources(queues: Queues): ResourceType[] {
  const queueType: ResourceType<QueueProperties> = {
    type: 'AWS::SQS::Queue',
    properties: queueProperties,
    deploy({ logicalId, physicalName, properties }) {
      const settings = queueSettings(queues, logicalId, physicalName, properties);
      if (settings.redrive !== undefined) checkRedrive(queues, logicalId, settings);
      queues.add(settings);
      return {
        ref: settings.url,
        attributes: { Arn: settings.arn, QueueName: settings.name, QueueUrl: settings.url },
      };
    },
  };
  const policyType: ResourceType<z.infer<typeof policyProperties>> = {
    type: 'AWS::SQS::QueuePolicy',
    properties: policyProperties,
    deploy({ physicalName, properties }) {
      for (const url of properties.Queues) queues.byUrl(url).policy = properties.PolicyDocument;
      return { ref: physicalName };
    },
  };
  return [queueType, policyType];
}

function queueSettings(
  queues: Queues,
  logicalId: string,
  physicalName: string,
  properties: QueueProperties,
): QueueSettings {
  const fifo = properties.FifoQueue ?? false;
  const name =
    properties.QueueName ?? (fifo ? `${physicalName.slice(0, 75)}.fifo` : physicalName.slice(0, 80));
  if (
    !/^[\w-]{1,80}$/.test(name.replace(/\.fifo$/, '')) ||
    name.length > 80 ||
    name.endsWith('.fifo') !== fifo
  ) {
    throw new Error(`${logicalId}: ${name} is not the name of a ${fifo ? 'FIFO' : 'standard'} queue`);
  }
  const { RedrivePolicy: redrive, RedriveAllowPolicy: allow } = properties;
  return {
    name,
    arn: `arn:aws:sqs:${queues.region}:${queues.account}:${name}`,
    // The SDK calls the host of a queue's address when its endpoint comes from the environment, so it is the local one.
    url: `${queues.endpoint()}/${queues.account}/${name}`,
    fifo,
    contentBasedDeduplication: properties.ContentBasedDeduplication ?? false,
    deduplicatesByGroup: properties.DeduplicationScope === 'messageGroup',
    delay: (properties.DelaySeconds ?? 0) * 1000,
    visibility: (properties.VisibilityTimeout ?? 30) * 1000,
    wait: (properties.ReceiveMessageWaitTimeSeconds ?? 0) * 1000,
    retention: (properties.MessageRetentionPeriod ?? 345_600) * 1000,
    maxMessage: properties.MaximumMessageSize ?? 1_048_576,
    redrive: redrive && { arn: redrive.deadLetterTargetArn, maxReceives: redrive.maxReceiveCount },
    tags: Object.fromEntries((properties.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    redriveAllow: {
      permission: allow?.redrivePermission ?? 'allowAll',
      sources: allow?.sourceQueueArns ?? [],
    },
  };
}

/** The dead-letter queue exists, is of the same kind and allows it. */
function checkRedrive(queues: Queues, logicalId: string, settings: QueueSettings): void {
  const { arn } = settings.redrive!;
  const target = queues.byArn(arn)?.settings;
  if (target === undefined) throw new Error(`${logicalId}: there is no queue ${arn} for dead letters`);
  if (target.fifo !== settings.fifo)
    throw new Error(`${logicalId}: ${arn} is of the other kind (FIFO or standard)`);
  const { permission, sources } = target.redriveAllow;
  if (permission === 'allowAll' || (permission === 'byQueue' && sources.includes(settings.arn))) return;
  throw new Error(`${logicalId}: the RedriveAllowPolicy of ${arn} does not allow ${settings.arn}`);
}
