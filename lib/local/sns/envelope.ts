import { createHash } from 'node:crypto';

/** One attribute of a message, as Publish takes it. */
export interface NoticeAttribute {
  type: string;
  /** Base64 where the type is Binary. */
  value: string;
}

/** A published message. */
export interface Notice {
  messageId: string;
  topicArn: string;
  message: string;
  subject: string | undefined;
  attributes: Record<string, NoticeAttribute>;
  /** Milliseconds since the epoch. */
  published: number;
}

/**
 * The JSON that SNS puts into a queue, members in its order. The signature has SNS's form and length but verifies
 * nowhere: the certificate it would be checked with is AWS's own.
 */
export function envelope(notice: Notice, region: string, subscriptionArn: string): string {
  const { messageId, topicArn, subject, message, attributes } = notice;
  const names = Object.keys(attributes);
  return JSON.stringify({
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: message,
    Timestamp: new Date(notice.published).toISOString(),
    SignatureVersion: '1',
    Signature: signatureLike(`${messageId}${message}`),
    SigningCertURL: `https://sns.${region}.amazonaws.com/SimpleNotificationService-00000000000000000000000000000000.pem`,
    UnsubscribeURL: `https://sns.${region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`,
    ...(names.length > 0 && {
      MessageAttributes: Object.fromEntries(
        names.map((name) => [name, { Type: attributes[name]!.type, Value: attributes[name]!.value }]),
      ),
    }),
  });
}

/** 256 bytes in base64, as an RSA signature has. */
function signatureLike(text: string): string {
  const parts = [0, 1, 2, 3].map((index) => createHash('sha512').update(`${index}${text}`).digest());
  return Buffer.concat(parts).toString('base64');
}
