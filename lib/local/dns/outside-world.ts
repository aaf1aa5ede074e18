import { join } from 'node:path';
import type { Cloud } from '../cloud.ts';
import type { NameService } from './name-service.ts';
import type { RecordSet, RecordType } from './record-set.ts';
import { quoteText } from './record-value.ts';
import { dkimRecordValue, rsaKey } from './rsa-key.ts';
import { Zone } from './zone.ts';

/** With this a mail can be signed as sender.test: `d=sender.test`, this selector and key. */
export interface SenderKey {
  domain: string;
  selector: string;
  /** PKCS #8 PEM. */
  privateKey: string;
}

const LOOPBACK = 'v=spf1 ip4:127.0.0.0/8 ip6:::1 -all';

/**
 * The small world around the local cloud: sender.test mails honestly from loopback, forger.test forbids it,
 * nopolicy.test says nothing; AWS's mail hosts stand on this machine. Answers the key of sender.test.
 */
export async function addOutsideWorld(
  names: NameService,
  cloud: Pick<Cloud, 'home' | 'region'>,
): Promise<SenderKey> {
  const selector = 'local';
  const key = await rsaKey(join(cloud.home, 'dns', 'sender.test.pem'));
  const dkim = record(`${selector}._domainkey.sender.test`, 'TXT', dkimRecordValue(key));
  names.add(new Zone('sender.test', [...mailDomain('sender.test', LOOPBACK, 'v=DMARC1; p=reject'), dkim]));
  names.add(new Zone('forger.test', mailDomain('forger.test', 'v=spf1 -all', 'v=DMARC1; p=reject')));
  names.add(new Zone('nopolicy.test'));
  for (const zone of [...awsZones(cloud.region), ...loopbackZones()]) names.add(zone);
  return {
    domain: 'sender.test',
    selector,
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function mailDomain(domain: string, spf: string, dmarc: string): RecordSet[] {
  return [
    record(domain, 'A', '127.0.0.1'),
    record(domain, 'MX', `10 mx.${domain}.`),
    record(`mx.${domain}`, 'A', '127.0.0.1'),
    record(domain, 'TXT', quoteText(spf)),
    record(`_dmarc.${domain}`, 'TXT', quoteText(dmarc)),
  ];
}

function awsZones(region: string): Zone[] {
  const feedback = `feedback-smtp.${region}.amazonses.com`;
  const inbound = `inbound-smtp.${region}.amazonaws.com`;
  return [
    new Zone('amazonses.com', [
      record('amazonses.com', 'TXT', quoteText(LOOPBACK)),
      // The MAIL FROM domain SES takes where an identity has none of its own.
      record(`${region}.amazonses.com`, 'TXT', quoteText(LOOPBACK)),
      record(feedback, 'A', '127.0.0.1'),
      record(feedback, 'MX', `10 ${feedback}.`),
    ]),
    new Zone('amazonaws.com', [record(inbound, 'A', '127.0.0.1')]),
  ];
}

function loopbackZones(): Zone[] {
  const one = `1.${'0.'.repeat(31)}ip6.arpa`;
  return [
    new Zone('localhost', [record('localhost', 'A', '127.0.0.1'), record('localhost', 'AAAA', '::1')]),
    new Zone('127.in-addr.arpa', [record('1.0.0.127.in-addr.arpa', 'PTR', 'localhost.')]),
    new Zone(one, [record(one, 'PTR', 'localhost.')]),
  ];
}

const record = (name: string, type: RecordType, ...values: string[]): RecordSet => ({
  name,
  type,
  ttl: 300,
  values,
});
