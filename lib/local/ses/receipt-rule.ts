import * as z from 'zod';
import { AwsError } from '../aws-error.ts';

const ruleName = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);

/** Of the actions only S3 is received here; a template with another one does not start. */
const s3Action = z.strictObject({
  BucketName: z.string(),
  ObjectKeyPrefix: z.string().optional(),
  TopicArn: z.string().optional(),
});

const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')]);

/** As CloudFormation and the API write a rule. */
export const receiptRule = z.strictObject({
  Name: ruleName.optional(),
  Enabled: flag.default(false),
  TlsPolicy: z.enum(['Optional', 'Require']).default('Optional'),
  Recipients: z.array(z.string().min(1)).default([]),
  Actions: z.array(z.strictObject({ S3Action: s3Action })).default([]),
  ScanEnabled: flag.default(false),
});
export type ReceiptRule = z.output<typeof receiptRule> & { Name: string };

export interface RuleSet {
  Name: string;
  CreatedTimestamp: string;
  Rules: ReceiptRule[];
}

/** Quotas of a Region; none can be raised. */
export const MOST_RULE_SETS = 40;
export const MOST_RULES = 200;
const MOST_ACTIONS = 10;
const MOST_RECIPIENTS = 500;

/** The rule, or the error SES gives for what a schema cannot say. */
export function checkedRule(
  rule: z.output<typeof receiptRule>,
  name: string | undefined = rule.Name,
): ReceiptRule {
  if (name === undefined) throw new AwsError('ValidationError', 'A receipt rule needs a name.');
  const limit = (what: string) => new AwsError('LimitExceeded', `Too many ${what} in rule ${name}.`);
  if (rule.Actions.length > MOST_ACTIONS) throw limit('actions');
  if (rule.Recipients.length > MOST_RECIPIENTS) throw limit('recipients');
  return { ...rule, Name: name };
}

/** The prefix is a folder: SES puts a slash between it and the id where it has none. */
export function objectKey(prefix: string | undefined, id: string): string {
  if (prefix === undefined || prefix === '') return id;
  return prefix.endsWith('/') ? `${prefix}${id}` : `${prefix}/${id}`;
}
