import * as z from 'zod';
import type { ResourceType } from '../cloud.ts';
import { ignored } from '../ignored.ts';

/** Resource types without effect on this machine, and why. Nothing may refer to them. */
export const ignoredTypes: Record<string, string> = {
  'AWS::CDK::Metadata': 'tells AWS which constructs were used',
  'AWS::CloudWatch::Alarm': 'nobody is paged from a laptop; failures are printed where they happen',
  'AWS::CloudWatch::CompositeAlarm': 'nobody is paged from a laptop',
  'AWS::CloudWatch::Dashboard': 'there are no metrics to draw',
  'AWS::Logs::MetricFilter': 'there are no metrics to derive',
  'AWS::Logs::SubscriptionFilter': 'logs go to the terminal',
  'AWS::Logs::ResourcePolicy': 'logs go to the terminal',
  'AWS::Logs::QueryDefinition': 'logs go to the terminal',
};

/** Functions refer to their log group, so it needs a name and an ARN; what they log goes to the terminal. */
export const logGroup = (account: string, region: string): ResourceType => ({
  type: 'AWS::Logs::LogGroup',
  properties: z.strictObject({
    LogGroupName: z.string().optional(),
    RetentionInDays: ignored('the terminal keeps nothing'),
    KmsKeyId: ignored('the terminal keeps nothing'),
    LogGroupClass: ignored('the terminal keeps nothing'),
    Tags: ignored('tags are for bills'),
  }),
  deploy: ({ properties, physicalName }) => {
    const name = (properties as { LogGroupName?: string }).LogGroupName ?? physicalName;
    return { ref: name, attributes: { Arn: `arn:aws:logs:${region}:${account}:log-group:${name}:*` } };
  },
});
