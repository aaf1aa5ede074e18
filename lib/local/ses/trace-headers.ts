import { createHash, randomBytes } from 'node:crypto';
import { domainOf } from './recipient-condition.ts';
import type { Authentication } from './authentication.ts';
import type { Verdicts } from './verdicts.ts';
import type { Envelope } from '../smtp/server.ts';

/** The headers SES puts above a mail, folded as SES folds them. */
export function traceHeaders(mail: {
  id: string;
  region: string;
  receivedAt: Date;
  envelope: Envelope;
  recipients: readonly string[];
  found: Authentication;
  verdicts: Verdicts;
}): string {
  const { envelope, verdicts } = mail;
  const client = `${plain(envelope.helo)} (${plain(envelope.clientHostname)} [${envelope.clientAddress}])`;
  const spf = spfText(mail.found, envelope);
  return [
    `Return-Path: <${envelope.from}>`,
    `Received: from ${client}`,
    ` by inbound-smtp.${mail.region}.amazonaws.com with SMTP id ${mail.id}`,
    // One recipient only (RFC 5321 §4.4): naming all would show the blind ones to each other.
    ` for ${mail.recipients[0] ?? ''};`,
    ` ${mail.receivedAt.toUTCString().replace('GMT', '+0000 (UTC)')}`,
    // A rule without scanning leaves these two out.
    ...(verdicts.spam === 'DISABLED' ? [] : [`X-SES-Spam-Verdict: ${verdicts.spam}`]),
    ...(verdicts.virus === 'DISABLED' ? [] : [`X-SES-Virus-Verdict: ${verdicts.virus}`]),
    `Received-SPF: ${spf}`,
    'Authentication-Results: amazonses.com;',
    ` spf=${spf}`,
    ...dkimTexts(mail.found).map((text) => ` dkim=${text};`),
    ` dmarc=${dmarcText(mail.found)};`,
    `X-SES-RECEIPT: ${receipt()}`,
    `X-SES-DKIM-SIGNATURE: ${opaqueSignature(mail.id, mail.receivedAt)}`,
    '',
  ].join('\r\n');
}

function spfText({ spf }: Authentication, envelope: Envelope): string {
  const { result } = spf.status;
  const domain = envelope.from === '' ? plain(envelope.helo) : domainOf(envelope.from);
  const ip = envelope.clientAddress;
  const comments: Record<string, string> = {
    pass: `domain of ${domain} designates ${ip} as permitted sender`,
    fail: `domain of ${domain} does not designate ${ip} as permitted sender`,
    softfail: `transitioning domain of ${domain} does not designate ${ip} as permitted sender`,
    permerror: `Error in processing SPF Record: ${domain}`,
    temperror: `Error in retrieving data from DNS: ${domain}`,
  };
  const comment = comments[result] ?? `${ip} is neither permitted nor denied by domain of ${domain}`;
  return `${result} (spfCheck: ${comment}) client-ip=${ip}; envelope-from=${envelope.from}; helo=${plain(envelope.helo)};`;
}

/** Each signature by itself; mailauth's "neutral" is a signature that did not verify. */
function dkimTexts({ dkim }: Authentication): string[] {
  if (dkim === undefined) return ['temperror'];
  if (dkim.length === 0) return ['none'];
  return dkim.map(({ status, signingDomain }) => {
    const result =
      status.result === 'pass' ? 'pass' : status.result.startsWith('temperr') ? 'temperror' : 'fail';
    return `${result} header.i=@${plain(signingDomain)}`;
  });
}

function dmarcText({ dmarc, from }: Authentication): string {
  const domain = from.length === 1 ? plain(domainOf(from[0]!)) : '';
  return domain === '' ? 'permerror' : `${dmarc?.status.result ?? 'temperror'} header.from=${domain}`;
}

/** What a stranger wrote and a header repeats: no character that means something there. */
const plain = (text: string) => text.replace(/[^A-Za-z0-9.:_[\]-]/g, '').slice(0, 255);

/** Opaque on AWS as here, and of the same make. */
const receipt = () =>
  Buffer.from(`\0AAAAAAAAAAAG${randomBytes(225).toString('base64')}`, 'latin1').toString('base64');

/** SES's own signature: its key is AWS's, so this one only has the form. */
function opaqueSignature(id: string, at: Date): string {
  const hash = createHash('sha256').update(id).digest('base64');
  return (
    `a=rsa-sha256; q=dns/txt; b=${randomBytes(128).toString('base64')}; c=relaxed/simple; ` +
    `s=ug7nbtf4gccmlpwj322ax3p6ow6yfsug; d=amazonses.com; t=${Math.floor(at.getTime() / 1000)}; v=1; bh=${hash}; ` +
    'h=From:To:Cc:Bcc:Subject:Date:Message-ID:MIME-Version:Content-Type:X-SES-RECEIPT;'
  );
}
