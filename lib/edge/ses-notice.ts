import * as z from 'zod';
import type { Notice } from '../contract/notice.ts';

const verdict = z
  .object({ status: z.enum(['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED']).catch('PROCESSING_FAILED') })
  .catch({ status: 'PROCESSING_FAILED' });

/** The SNS envelope, as SQS carries it without raw delivery. */
const envelope = z.object({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  Message: z.string(),
});

/** The receipt notification of an S3 action; https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html */
const receipt = z.object({
  notificationType: z.literal('Received'),
  mail: z.object({
    timestamp: z.iso.datetime({ offset: true }),
    source: z.string().default(''),
    messageId: z.string().min(1).max(200),
  }),
  receipt: z.object({
    recipients: z.array(z.string().max(320)).min(1).max(1000),
    spamVerdict: verdict,
    virusVerdict: verdict,
    spfVerdict: verdict,
    dkimVerdict: verdict,
    dmarcVerdict: verdict,
    dmarcPolicy: z.string().optional(),
    // Only what SES stored for us may be taken in: any other key could be a mail that belongs to someone already.
    action: z.object({ type: z.literal('S3'), objectKey: z.string().startsWith('incoming/').max(1024) }),
  }),
});

/** The id of the mail SES makes up to see whether it may write to the bucket and publish to the topic. */
const setupNotification = 'AMAZON_SES_SETUP_NOTIFICATION';

const policies = z.enum(['none', 'quarantine', 'reject']);

/**
 * Reads an SQS message as the notice of a mail. `undefined`: SNS or SES only wanted to know whether the topic
 * works, or tells of something else than received mail. What should be a receipt and is not throws an `Error`.
 */
export function sesNotice(body: string): Notice | undefined {
  const { Type, Message } = as(envelope, JSON.parse(body), 'no notification of SNS');
  if (Type !== 'Notification') return undefined;
  const said = readJson(Message);
  if (
    typeof said !== 'object' ||
    said === null ||
    !('notificationType' in said) ||
    said.notificationType !== 'Received'
  )
    return undefined;
  const { mail, receipt: of } = as(receipt, said, 'no receipt of a mail that SES stored in incoming/');
  if (mail.messageId === setupNotification) return undefined;
  const policy = policies.safeParse(of.dmarcPolicy?.toLowerCase());
  return {
    ses_id: mail.messageId,
    key: of.action.objectKey,
    timestamp: new Date(mail.timestamp).toISOString(),
    // SES writes the null sender as `<>` or as nothing.
    source: mail.source === '<>' ? '' : mail.source,
    recipients: of.recipients,
    envelope: 'given',
    verdicts: {
      spf: of.spfVerdict.status,
      dkim: of.dkimVerdict.status,
      dmarc: of.dmarcVerdict.status,
      ...(policy.success && { dmarc_policy: policy.data }),
      spam: of.spamVerdict.status,
      virus: of.virusVerdict.status,
    },
  };
}

/** Reads, or says in a sentence what is wrong and where. */
function as<T>(schema: z.ZodType<T>, said: unknown, otherwise: string): T {
  const read = schema.safeParse(said);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Error(`${otherwise}: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** SES's own test of the topic is a plain sentence, not JSON. */
function readJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
