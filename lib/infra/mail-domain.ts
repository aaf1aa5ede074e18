import { Aws } from 'aws-cdk-lib';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import {
  DkimIdentity,
  EasyDkimSigningKeyLength,
  EmailIdentity,
  Identity,
  MailFromBehaviorOnMxFailure,
} from 'aws-cdk-lib/aws-ses';
import { Construct } from 'constructs';
import type { DnsRecord } from '../contract/dns-record.ts';
import type { Config } from './config.ts';

/** The identity of the mail domain, and the DNS records that make it work. */
export class MailDomain extends Construct {
  readonly identityArn: string;
  /** Every record the domain needs; values of the DKIM records are tokens. */
  readonly records: DnsRecord[];

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const mailFrom = `${config.mailFromSubdomain}.${config.mailDomain}`;
    const identity = new EmailIdentity(this, 'identity', {
      identity: Identity.domain(config.mailDomain),
      dkimIdentity: DkimIdentity.easyDkim(EasyDkimSigningKeyLength.RSA_2048_BIT),
      mailFromDomain: mailFrom,
      mailFromBehaviorOnMxFailure: MailFromBehaviorOnMxFailure[config.mailFromFailure],
    });
    this.identityArn = identity.emailIdentityArn;
    const { mailDomain } = config;
    const spf = 'v=spf1 include:amazonses.com ~all';
    const mx = (name: string, value: string): DnsRecord => ({ type: 'MX', name, value, priority: 10 });
    this.records = [
      mx(mailDomain, `inbound-smtp.${Aws.REGION}.amazonaws.com`),
      mx(`*.${mailDomain}`, `inbound-smtp.${Aws.REGION}.amazonaws.com`),
      { type: 'TXT', name: mailDomain, value: spf },
      // Names and targets as SES gives them: the signing zone differs by Region and by identity.
      ...identity.dkimRecords.map(({ name, value }): DnsRecord => ({ type: 'CNAME', name, value })),
      { type: 'TXT', name: `_dmarc.${mailDomain}`, value: dmarc(config) },
      mx(mailFrom, `feedback-smtp.${Aws.REGION}.amazonses.com`),
      { type: 'TXT', name: mailFrom, value: spf },
    ];
    const { hostedZone } = config;
    if (hostedZone) this.records.forEach((record, index) => this.#publish(record, hostedZone.id, index));
  }

  // A record that is there already and not ours makes the deploy fail: CloudFormation creates, it does not overwrite.
  #publish({ type, name, value, priority }: DnsRecord, hostedZoneId: string, index: number): void {
    const data = type === 'TXT' ? `"${value}"` : type === 'MX' ? `${priority} ${value}` : value;
    new CfnRecordSet(this, `${recordIds[index]}`, {
      hostedZoneId,
      type,
      name,
      resourceRecords: [data],
      ttl: '1800',
    });
  }
}

const recordIds = [
  'mx',
  'mx-subdomains',
  'spf',
  'dkim-1',
  'dkim-2',
  'dkim-3',
  'dmarc',
  'mail-from-mx',
  'mail-from-spf',
];

// RFC 7489 §6.3. Reports to another domain need that domain's consent (§7.1).
function dmarc({ dmarcPolicy, dmarcReports }: Config): string {
  return ['v=DMARC1', `p=${dmarcPolicy}`, ...(dmarcReports ? [`rua=mailto:${dmarcReports}`] : [])].join('; ');
}
