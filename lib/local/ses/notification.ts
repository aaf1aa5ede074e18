import { addressTexts, bareAddress, decodeWords, headerValue, type MailHeader } from './mail-header.ts';
import type { Verdicts } from './verdicts.ts';

/** Above this SES cuts the headers of a notice short and says so. */
const MOST_HEADER_BYTES = 10 * 1024;

export interface S3Delivery {
  type: 'S3';
  topicArn: string;
  bucketName: string;
  objectKeyPrefix: string;
  objectKey: string;
}

/** What SES publishes about a stored mail, in the order of its own notices. */
export function receivedNotification(mail: {
  id: string;
  receivedAt: Date;
  processingMs: number;
  /** Envelope sender, '' for none. */
  source: string;
  /** Those of the envelope that the rule matched. */
  recipients: readonly string[];
  /** SES's own first. */
  headers: readonly MailHeader[];
  verdicts: Verdicts;
  action: S3Delivery;
}): object {
  const { verdicts } = mail;
  const listed = withinLimit(mail.headers);
  return {
    notificationType: 'Received',
    mail: {
      timestamp: mail.receivedAt.toISOString(),
      source: mail.source,
      messageId: mail.id,
      // What the mail claims, which is not where it was sent.
      destination: bounded(
        ['to', 'cc', 'bcc'].flatMap((name) => addressTexts(mail.headers, name)).map(bareAddress),
      ),
      headersTruncated: listed.length < mail.headers.length,
      headers: listed,
      commonHeaders: commonHeaders(mail.source, mail.headers),
    },
    receipt: {
      timestamp: mail.receivedAt.toISOString(),
      processingTimeMillis: mail.processingMs,
      recipients: mail.recipients,
      spamVerdict: { status: verdicts.spam },
      virusVerdict: { status: verdicts.virus },
      spfVerdict: { status: verdicts.spf },
      dkimVerdict: { status: verdicts.dkim },
      dmarcVerdict: { status: verdicts.dmarc },
      ...(verdicts.dmarcPolicy === undefined ? {} : { dmarcPolicy: verdicts.dmarcPolicy }),
      action: mail.action,
    },
  };
}

/** Subject as text, addresses as they were written; absent fields are absent. */
function commonHeaders(source: string, headers: readonly MailHeader[]): object {
  const addresses = (name: string) => {
    const texts = bounded(addressTexts(headers, name));
    return texts.length === 0 ? undefined : texts;
  };
  const text = (name: string) => headerValue(headers, name)?.slice(0, MOST_HEADER_BYTES);
  const subject = text('subject');
  const fields = {
    returnPath: source,
    from: addresses('from'),
    replyTo: addresses('reply-to'),
    date: text('date'),
    to: addresses('to'),
    cc: addresses('cc'),
    bcc: addresses('bcc'),
    messageId: text('message-id'),
    subject: subject === undefined ? undefined : decodeWords(subject),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function withinLimit(headers: readonly MailHeader[]): MailHeader[] {
  let bytes = 0;
  const over = headers.findIndex(({ name, value }) => {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 4;
    return bytes > MOST_HEADER_BYTES;
  });
  return over < 0 ? [...headers] : headers.slice(0, over);
}

/** A notice must fit into SNS's 256 KB whatever the mail claims. */
function bounded(texts: readonly string[]): string[] {
  let bytes = 0;
  const over = texts.findIndex((text) => (bytes += Buffer.byteLength(text)) > MOST_HEADER_BYTES);
  return over < 0 ? [...texts] : texts.slice(0, over);
}
