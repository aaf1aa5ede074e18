import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { AwsError } from '../aws-error.ts';
import type { Cloud } from '../cloud.ts';
import type { Resolve } from '../dns/resolver.ts';
import { Refusal } from '../smtp/refusal.ts';
import type { ArrivedMail, MailTaker } from '../smtp/server.ts';
import { type Authentication, authenticate } from './authentication.ts';
import { ContentScan } from './content-scan.ts';
import { NOTICE_SUBJECT, type ObjectStore, ruleCaller, type Topics } from './delivery.ts';
import { readHeaderSection } from './header-section.ts';
import type { IdentityStore } from './identity-store.ts';
import { readHeaders } from './mail-header.ts';
import { receivedNotification } from './notification.ts';
import { objectKey, type ReceiptRule } from './receipt-rule.ts';
import { domainOf, meetsCondition } from './recipient-condition.ts';
import type { RuleStore } from './rule-store.ts';
import { traceHeaders } from './trace-headers.ts';
import { verdictsOf } from './verdicts.ts';

interface Deps {
  cloud: Cloud;
  rules: RuleStore;
  identities: IdentityStore;
  resolve: Resolve;
  objects: ObjectStore;
  topics: Topics;
}

interface Examined {
  id: string;
  receivedAt: number;
  headerText: string;
  found: Authentication;
  content: { spam: boolean; virus: boolean };
}

/** SES receiving: mail from the SMTP server, through the active rule set, into S3 and onto the topic. */
export class Receiving implements MailTaker {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The only check SES makes in the session: the recipient's domain is verified and a rule of the active set takes it. */
  checkRecipient(address: string, session: { secure: boolean }): void {
    const rules = this.#rulesFor(address);
    if (rules.length === 0) throw new Refusal(550, 'mailbox unavailable');
    if (!session.secure && rules.every(({ TlsPolicy }) => TlsPolicy === 'Require')) {
      throw new Refusal(530, 'Must issue a STARTTLS command first');
    }
    if (this.#verified(address)) return;
    const [identity] = this.#deps.identities.covering(domainOf(address));
    const missing = identity === undefined ? undefined : this.#deps.identities.missingRecords(identity)[0];
    this.#deps.cloud.print(
      missing === undefined
        ? `ses: refused mail to ${address}: no identity covers ${domainOf(address)}`
        : `ses: refused mail to ${address}: the identity ${identity!.name} is not verified, DNS lacks ${missing.name} CNAME ${missing.value}`,
    );
    throw new Refusal(550, 'mailbox unavailable');
  }

  /** Returns when every object and notice of the mail is durable. */
  async take(mail: ArrivedMail): Promise<void> {
    const { cloud, rules } = this.#deps;
    const set = rules.active();
    const examined = await this.#examine(mail);
    cloud.record({ service: 'ses', action: 'ReceiveEmail', by: 'smtp' });
    for (const rule of set?.Rules ?? []) {
      if (!takes(rule, mail.envelope.secure)) continue;
      const recipients = mail.envelope.to.filter(
        (address) => this.#meets(rule, address) && this.#verified(address),
      );
      if (recipients.length > 0) await this.#apply(set!.Name, rule, recipients, mail, examined);
    }
  }

  async #examine(mail: ArrivedMail): Promise<Examined> {
    const { cloud, resolve } = this.#deps;
    const headers = await readHeaderSection(mail.file);
    const scan = new ContentScan();
    const receivedAt = cloud.clock.now();
    const found = await authenticate({
      file: mail.file,
      envelope: mail.envelope,
      resolve,
      now: receivedAt,
      headersComplete: headers.complete,
      watch: (chunk) => scan.update(chunk),
    });
    scan.end();
    return { id: sesMessageId(), receivedAt, headerText: headers.text, found, content: scan };
  }

  async #apply(set: string, rule: ReceiptRule, recipients: string[], mail: ArrivedMail, examined: Examined) {
    const { cloud } = this.#deps;
    const verdicts = verdictsOf(examined.found, examined.content, rule.ScanEnabled);
    const { id, receivedAt, found } = examined;
    const trace = traceHeaders({
      id,
      region: cloud.region,
      receivedAt: new Date(receivedAt),
      envelope: mail.envelope,
      recipients,
      found,
      verdicts,
    });
    const caller = ruleCaller(cloud, set, rule.Name);
    for (const { S3Action: action } of rule.Actions) {
      const key = objectKey(action.ObjectKeyPrefix, id);
      await this.#store({ caller, bucket: action.BucketName, key }, trace, mail);
      if (action.TopicArn === undefined) continue;
      const notice = receivedNotification({
        id,
        receivedAt: new Date(receivedAt),
        processingMs: Math.max(1, Math.round(cloud.clock.now() - receivedAt)),
        source: mail.envelope.from,
        recipients,
        headers: [...readHeaders(trace), ...readHeaders(examined.headerText)],
        verdicts,
        action: {
          type: 'S3',
          topicArn: action.TopicArn,
          bucketName: action.BucketName,
          objectKeyPrefix: action.ObjectKeyPrefix ?? '',
          objectKey: key,
        },
      });
      await this.#announce({ caller, topicArn: action.TopicArn }, notice, id);
    }
  }

  async #store(to: Omit<Parameters<ObjectStore['putObject']>[0], 'file'>, trace: string, mail: ArrivedMail) {
    const file = `${mail.file}.stored`;
    try {
      await writeFile(file, trace);
      await pipeline(createReadStream(mail.file), createWriteStream(file, { flags: 'a' }));
      await this.#deps.objects.putObject({ ...to, file });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#deps.cloud.print(
        `ses: could not store a mail as s3://${to.bucket}/${to.key}: ${error.code}: ${error.message}`,
      );
      throw new Refusal(451, 'Requested action aborted: the mail could not be stored');
    } finally {
      await rm(file, { force: true });
    }
  }

  /** A topic that refuses loses the notice, as on AWS: the mail stays in the bucket and is accepted. */
  async #announce(
    to: Pick<Parameters<Topics['publish']>[0], 'caller' | 'topicArn'>,
    notice: object,
    id: string,
  ) {
    try {
      await this.#deps.topics.publish({ ...to, message: JSON.stringify(notice), subject: NOTICE_SUBJECT });
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      this.#deps.cloud.print(
        `ses: the notice of mail ${id} is lost, ${to.topicArn} refused it: ${error.code}: ${error.message}`,
      );
    }
  }

  #rulesFor(address: string): ReceiptRule[] {
    const rules = this.#deps.rules.active()?.Rules ?? [];
    return rules.filter((rule) => rule.Enabled && this.#meets(rule, address));
  }

  /** A rule without recipients takes every verified domain's. */
  #meets(rule: ReceiptRule, address: string): boolean {
    if (rule.Recipients.length === 0) return this.#verified(address);
    return rule.Recipients.some((condition) => meetsCondition(condition, address));
  }

  #verified(address: string): boolean {
    const { identities } = this.#deps;
    return identities.covering(domainOf(address)).some(identities.isVerified);
  }
}

const takes = (rule: ReceiptRule, secure: boolean) =>
  rule.Enabled && (secure || rule.TlsPolicy === 'Optional');

/** 40 characters of 0-9 and a-v, as SES's are. */
const sesMessageId = () =>
  Array.from(randomBytes(40), (octet) => '0123456789abcdefghijklmnopqrstuv'[octet % 32]).join('');
