import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import type { SendMail } from '../core/send-canary.ts';

/**
 * Sends a text mail through SES, at most 50 recipients; what SES throws is thrown (SESv2 SendEmail). A repeat is
 * another mail: SES knows no idempotency token.
 */
export function mailSender(client = new SESv2Client({})): SendMail {
  return async ({ from, to, subject, text }) => {
    await client.send(
      new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: {
            Subject: { Data: subject, Charset: 'UTF-8' },
            Body: { Text: { Data: text, Charset: 'UTF-8' } },
            // RFC 3834 §5: nobody answers it by a vacation notice.
            Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
          },
        },
      }),
    );
  };
}
