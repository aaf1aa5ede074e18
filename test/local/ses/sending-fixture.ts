import { SendEmailCommand, type SendEmailCommandInput, SESv2Client } from '@aws-sdk/client-sesv2';
import { vi } from 'vitest';
import { quoteText } from '../../../lib/local/dns/record-value.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';
import { clientSettings, deploy, serve, stubCloud } from '../../support/service-endpoint.ts';
import { DOMAIN, mailWorld } from './mail-fixture.ts';

export const FROM = `ann@${DOMAIN}`;
export const TO = `bob@${DOMAIN}`;
export const MAIL_FROM = `bounce.${DOMAIN}`;

/** A mail world that sends: its domain has a MAIL FROM domain, a DMARC policy and its MX at SES. */
export async function sendingWorld(options: { cloud?: StubCloud; start?: boolean } = {}) {
  const cloud = options.cloud ?? (await stubCloud());
  // Mail that came in clear is not taken.
  const mail = await mailWorld({ cloud, rule: { TlsPolicy: 'Require' } });
  const { ses, route53 } = mail.world;
  await deploy(ses, 'AWS::SES::EmailIdentity', {
    EmailIdentity: DOMAIN,
    MailFromAttributes: { MailFromDomain: MAIL_FROM, BehaviorOnMxFailure: 'REJECT_MESSAGE' },
  });
  const record = (Name: string, Type: string, value: string) =>
    deploy(route53, 'AWS::Route53::RecordSet', {
      HostedZoneId: 'ZLOCAL',
      Name,
      Type,
      TTL: '300',
      ResourceRecords: [value],
    });
  await record(DOMAIN, 'MX', `10 inbound-smtp.${cloud.region}.amazonaws.com`);
  await record(MAIL_FROM, 'MX', `10 feedback-smtp.${cloud.region}.amazonses.com`);
  await record(MAIL_FROM, 'TXT', quoteText('v=spf1 include:amazonses.com ~all'));
  await record(`_dmarc.${DOMAIN}`, 'TXT', quoteText('v=DMARC1; p=reject'));
  if (options.start !== false) mail.world.startSending();
  const endpoint = await serve(ses);
  const client = new SESv2Client(clientSettings(endpoint.url));
  const send = (input: Partial<SendEmailCommandInput>) =>
    client.send(
      new SendEmailCommand({
        FromEmailAddress: FROM,
        Destination: { ToAddresses: [TO] },
        Content: simple('hello'),
        ...input,
      }),
    );
  return {
    ...mail,
    cloud,
    client,
    send,
    sendRaw: (lines: string[], input: Partial<SendEmailCommandInput> = {}) =>
      client.send(new SendEmailCommand({ Content: raw(lines), ...input })),
    /** Waits until SES has that many notices of mail that arrived. */
    arrived: (count = 1) => until(() => mail.published.length >= count),
    /** Waits until nothing is left to deliver. */
    delivered: () => until(() => ses.sending.waiting().length === 0),
    async close() {
      client.destroy();
      await endpoint.close();
      await mail.close();
    },
  };
}

export const simple = (subject: string, text = 'how are you?'): SendEmailCommandInput['Content'] => ({
  Simple: { Subject: { Data: subject }, Body: { Text: { Data: text } } },
});
export const raw = (lines: string[]): SendEmailCommandInput['Content'] => ({
  Raw: { Data: Buffer.from(lines.join('\r\n')) },
});

export const until = (holds: () => boolean) =>
  vi.waitFor(
    () => {
      if (!holds()) throw new Error('not yet');
    },
    { timeout: 5_000, interval: 5 },
  );
