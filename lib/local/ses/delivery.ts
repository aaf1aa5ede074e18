import type { Caller } from '../cloud.ts';

/** What SES needs of S3. */
export interface ObjectStore {
  /** Stores the file's bytes durably under the caller's name; the file stays the giver's. Throws AwsError as S3 refuses. */
  putObject(request: { caller: Caller; bucket: string; key: string; file: string }): Promise<unknown>;
}

/** What SES needs of SNS. */
export interface Topics {
  /** Returns once the message is durable. Throws AwsError as SNS refuses. */
  publish(request: { caller: Caller; topicArn: string; message: string; subject: string }): Promise<unknown>;
}

export const NOTICE_SUBJECT = 'Amazon SES Email Receipt Notification';

/** SES acting for a rule, as bucket and topic policies see it. */
export const ruleCaller = (
  cloud: { account: string; region: string },
  set: string,
  rule: string,
): Caller => ({
  kind: 'service',
  service: 'ses.amazonaws.com',
  sourceAccount: cloud.account,
  sourceArn: `arn:aws:ses:${cloud.region}:${cloud.account}:receipt-rule-set/${set}:receipt-rule/${rule}`,
});
