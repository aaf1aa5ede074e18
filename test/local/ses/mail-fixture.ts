import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Caller, Cloud } from '../../../lib/local/cloud.ts';
import { MailWorld } from '../../../lib/local/mail-world.ts';
import { deploy, stubCloud } from '../../support/service-endpoint.ts';

export const DOMAIN = 'posthorn.test';
export const TOPIC = 'arn:aws:sns:us-east-1:000000000000:mail';

export interface Stored {
  caller: Caller;
  bucket: string;
  key: string;
  file: string;
}

/** S3 and SNS as SES sees them: what it gave is kept, and `refuse` says what they do not take. */
export async function fakeSides(cloud: Cloud) {
  const stored: Stored[] = [];
  const published: { caller: Caller; topicArn: string; message: string; subject: string }[] = [];
  const refuse: { put?: Error | undefined; publish?: Error | undefined } = {};
  const folder = join(cloud.home, 'fake-s3');
  await mkdir(folder, { recursive: true });
  return {
    stored,
    published,
    refuse,
    objects: {
      async putObject(request: Stored) {
        if (refuse.put !== undefined) throw refuse.put;
        const file = join(folder, String(stored.length));
        await copyFile(request.file, file);
        stored.push({ ...request, file });
      },
    },
    topics: {
      async publish(request: (typeof published)[number]) {
        if (refuse.publish !== undefined) throw refuse.publish;
        published.push(request);
      },
    },
  };
}

/** A mail world whose domain is verified and whose one rule takes the domain and its subdomains. */
export async function mailWorld(
  options: { cloud?: Cloud; rule?: object; activate?: boolean; dkimRecords?: boolean } = {},
) {
  const cloud = options.cloud ?? (await stubCloud());
  const sides = await fakeSides(cloud);
  const world = new MailWorld({ cloud, domain: DOMAIN, ...sides });
  const ports = await world.start({ smtp: 0, dns: 0 });
  const identity = await deploy(world.ses, 'AWS::SES::EmailIdentity', { EmailIdentity: DOMAIN });
  const records = [1, 2, 3].map((number) => ({
    Name: String(identity.attributes![`DkimDNSTokenName${number}`]),
    Type: 'CNAME',
    TTL: '300',
    ResourceRecords: [String(identity.attributes![`DkimDNSTokenValue${number}`])],
  }));
  if (options.dkimRecords !== false) {
    await deploy(world.route53, 'AWS::Route53::RecordSetGroup', {
      HostedZoneId: 'ZLOCAL',
      RecordSets: records,
    });
  }
  await deploy(world.ses, 'AWS::SES::ReceiptRuleSet', { RuleSetName: 'main' });
  const rule = {
    Name: 'all',
    Enabled: true,
    ScanEnabled: true,
    Recipients: [DOMAIN, `.${DOMAIN}`],
    Actions: [{ S3Action: { BucketName: 'mail', ObjectKeyPrefix: 'incoming/', TopicArn: TOPIC } }],
    ...options.rule,
  };
  await deploy(world.ses, 'AWS::SES::ReceiptRule', { RuleSetName: 'main', Rule: rule });
  if (options.activate !== false) world.ses.rules.activate('main');
  const setup = { stored: sides.stored.splice(0), published: sides.published.splice(0) };
  const transport = createTransport({
    host: '127.0.0.1',
    port: ports.smtp.port,
    pool: true,
    name: 'client.test',
    tls: { rejectUnauthorized: false },
    ignoreTLS: true,
  });
  const close = async () => {
    transport.close();
    await world.stop();
  };
  return {
    cloud,
    world,
    ...ports,
    ...sides,
    setup,
    close,
    transport,
    send: (mail: SendMailOptions) => transport.sendMail(mail),
    /** The last notice, as the topic got it. */
    notice: () => JSON.parse(sides.published.at(-1)!.message),
    object: async (at = -1) => readFile(sides.stored.at(at)!.file, 'latin1'),
  };
}

/** nodemailer's settings to sign as sender.test. */
export const signing = (
  key: { domain: string; selector: string; privateKey: string },
  domain = key.domain,
) => ({
  dkim: { domainName: domain, keySelector: key.selector, privateKey: key.privateKey },
});
