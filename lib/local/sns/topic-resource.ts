import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Cloud, PolicyDocument, ResourceType } from '../cloud.ts';
import { enforceablePolicy } from '../iam/enforceable-policy.ts';
import { ignored } from '../ignored.ts';

/** A deployed topic. */
export interface Topic {
  arn: string;
  name: string;
  displayName: string;
  policy: PolicyDocument;
  subscriptions: Subscription[];
}
/** A queue that hears a topic. */
export interface Subscription {
  arn: string;
  queueArn: string;
  raw: boolean;
  deadLetterArn: string | undefined;
}

const topicProperties = z.strictObject({
  TopicName: z.string().optional(),
  DisplayName: z.string().max(100).optional(),
  FifoTopic: z.literal(false, { error: 'FIFO topics are not played here' }).optional(),
  KmsMasterKeyId: z
    .never({
      error:
        'no KMS here: with the AWS-managed key SES and alarms could not publish, and the grants on another go unchecked',
    })
    .optional(),
  Subscription: z
    .array(z.strictObject({ Endpoint: z.string(), Protocol: z.enum(['sqs', 'email']) }))
    .optional(),
  TracingConfig: ignored('there is no X-Ray here'),
  SignatureVersion: z.literal('1').optional(),
  Tags: ignored('tags of a topic have no effect'),
});
const policyProperties = z.strictObject({ PolicyDocument: enforceablePolicy, Topics: z.array(z.string()) });
const subscriptionProperties = z.strictObject({
  TopicArn: z.string(),
  Protocol: z.enum(['sqs', 'email'], { error: 'only queues and alarm mail can subscribe here' }),
  Endpoint: z.string(),
  RawMessageDelivery: z.boolean().optional(),
  RedrivePolicy: z.strictObject({ deadLetterTargetArn: z.string() }).optional(),
});

/**
 * `AWS::SNS::Topic`, `::TopicPolicy` and `::Subscription`. Without a policy of its own a topic lets its account's
 * principals and alarms publish; SES and other services need a statement that names them.
 */
export function topicResources(cloud: Cloud, topics: Map<string, Topic>): ResourceType[] {
  const topicType: ResourceType<z.infer<typeof topicProperties>> = {
    type: 'AWS::SNS::Topic',
    properties: topicProperties,
    deploy({ physicalName, properties }) {
      const name = properties.TopicName ?? physicalName;
      if (!/^[\w-]{1,256}$/.test(name)) throw new Error(`${name} is not the name of a topic`);
      const arn = `arn:aws:sns:${cloud.region}:${cloud.account}:${name}`;
      const displayName = properties.DisplayName ?? '';
      const topic: Topic = { arn, name, displayName, policy: defaultPolicy(cloud, arn), subscriptions: [] };
      topics.set(arn, topic);
      for (const { Protocol, Endpoint } of properties.Subscription ?? []) {
        subscribe(cloud, topic, { TopicArn: arn, Protocol, Endpoint });
      }
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  };
  const policyType: ResourceType<z.infer<typeof policyProperties>> = {
    type: 'AWS::SNS::TopicPolicy',
    properties: policyProperties,
    deploy({ logicalId, physicalName, properties }) {
      for (const arn of properties.Topics) {
        deployed(topics, logicalId, arn).policy = properties.PolicyDocument;
      }
      return { ref: physicalName, attributes: { Id: physicalName } };
    },
  };
  const subscriptionType: ResourceType<z.infer<typeof subscriptionProperties>> = {
    type: 'AWS::SNS::Subscription',
    properties: subscriptionProperties,
    deploy({ logicalId, properties }) {
      const arn = subscribe(cloud, deployed(topics, logicalId, properties.TopicArn), properties);
      return { ref: arn, attributes: { Arn: arn } };
    },
  };
  return [topicType, policyType, subscriptionType];
}

function deployed(topics: Map<string, Topic>, logicalId: string, arn: string): Topic {
  const topic = topics.get(arn);
  if (topic === undefined) throw new Error(`${logicalId}: there is no topic ${arn}`);
  return topic;
}

function subscribe(cloud: Cloud, topic: Topic, properties: z.infer<typeof subscriptionProperties>): string {
  const arn = `${topic.arn}:${randomUUID()}`;
  if (properties.Protocol === 'email') {
    // The endpoint stays unnamed: it is a person's address.
    cloud.print(
      `mail to the subscriber of topic ${topic.name} is not sent here: nobody can confirm the subscription`,
    );
    return arn;
  }
  if (!properties.Endpoint.startsWith('arn:aws:sqs:'))
    throw new Error(`${properties.Endpoint} is not a queue's ARN`);
  topic.subscriptions.push({
    arn,
    queueArn: properties.Endpoint,
    raw: properties.RawMessageDelivery ?? false,
    deadLetterArn: properties.RedrivePolicy?.deadLetterTargetArn,
  });
  return arn;
}

/** CloudWatch's calls come with the account as owner, as AWS's default asks; those of SES do not. */
function defaultPolicy({ account }: Cloud, arn: string): PolicyDocument {
  const Condition = { StringEquals: { 'aws:SourceAccount': account } };
  const Principal = { Service: 'cloudwatch.amazonaws.com' };
  return { Statement: [{ Effect: 'Allow', Principal, Action: 'sns:Publish', Resource: arn, Condition }] };
}
