import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsError } from '../aws-error.ts';
import type { Cloud } from '../cloud.ts';
import { NOTICE_SUBJECT, type ObjectStore, ruleCaller, type Topics } from './delivery.ts';
import { readHeaders } from './mail-header.ts';
import { receivedNotification } from './notification.ts';
import { objectKey, type ReceiptRule } from './receipt-rule.ts';

const SETUP_ID = 'AMAZON_SES_SETUP_NOTIFICATION';

/**
 * What SES does before it takes a rule: writes a setup mail into the bucket and publishes its notice to the topic.
 * Throws InvalidS3Configuration or InvalidSnsTopic (400) when the policies do not let it.
 */
export async function tryRule(
  deps: { cloud: Cloud; objects: ObjectStore; topics: Topics },
  set: string,
  rule: ReceiptRule,
): Promise<void> {
  const caller = ruleCaller(deps.cloud, set, rule.Name);
  for (const { S3Action: action } of rule.Actions) {
    const key = objectKey(action.ObjectKeyPrefix, SETUP_ID);
    const mail = setupMail(action.BucketName, deps.cloud);
    const file = join(deps.cloud.home, 'ses', `setup-${rule.Name}.eml`);
    await mkdir(join(deps.cloud.home, 'ses'), { recursive: true });
    await writeFile(file, mail);
    try {
      await deps.objects.putObject({ caller, bucket: action.BucketName, key, file });
    } catch (error) {
      throw refused(
        error,
        'InvalidS3Configuration',
        `Could not write to bucket: ${action.BucketName}`,
        'Bucket',
        action.BucketName,
      );
    } finally {
      await rm(file, { force: true });
    }
    if (action.TopicArn === undefined) continue;
    const message = JSON.stringify(
      setupNotice(deps.cloud, mail, { ...action, TopicArn: action.TopicArn }, key),
    );
    try {
      await deps.topics.publish({ caller, topicArn: action.TopicArn, message, subject: NOTICE_SUBJECT });
    } catch (error) {
      throw refused(
        error,
        'InvalidSnsTopic',
        `Could not publish to SNS topic: ${action.TopicArn}`,
        'Topic',
        action.TopicArn,
      );
    }
  }
}

/** A refusal of the other service becomes SES's own; anything else is a bug and stays what it is. */
function refused(error: unknown, code: string, message: string, member: string, name: string): unknown {
  if (!(error instanceof AwsError)) return error;
  return new AwsError(code, message, { fields: { [member]: name } });
}

const setupMail = (bucket: string, cloud: Cloud): string =>
  [
    'Message-ID: <setup@amazonses.com>',
    `Date: ${new Date(cloud.clock.now()).toUTCString().replace('GMT', '+0000')}`,
    'Subject: Amazon SES Setup Notification',
    'From: Amazon Web Services <no-reply-aws@amazon.com>',
    'To: recipient@example.com',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    '',
    `Amazon SES can deliver mail to the bucket ${bucket}.`,
    '',
  ].join('\r\n');

function setupNotice(
  cloud: Cloud,
  mail: string,
  action: { BucketName: string; ObjectKeyPrefix?: string | undefined; TopicArn: string },
  key: string,
): object {
  return receivedNotification({
    id: SETUP_ID,
    receivedAt: new Date(cloud.clock.now()),
    processingMs: 1,
    source: 'no-reply-aws@amazon.com',
    recipients: ['recipient@example.com'],
    headers: readHeaders(mail.slice(0, mail.indexOf('\r\n\r\n'))),
    verdicts: {
      spam: 'PASS',
      virus: 'PASS',
      spf: 'PASS',
      dkim: 'PASS',
      dmarc: 'PASS',
      dmarcPolicy: undefined,
    },
    action: {
      type: 'S3',
      topicArn: action.TopicArn,
      bucketName: action.BucketName,
      objectKeyPrefix: action.ObjectKeyPrefix ?? '',
      objectKey: key,
    },
  });
}
