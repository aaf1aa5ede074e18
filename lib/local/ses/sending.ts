import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud } from '../cloud.ts';
import type { NameService } from '../dns/name-service.ts';
import { transaction } from '../open-database.ts';
import type { Identity, IdentityStore } from './identity-store.ts';
import { MailSigner } from './mail-signer.ts';
import { OutgoingDeliveries } from './outgoing-deliveries.ts';
import { finished, LARGEST_ENCODED, valueOf } from './outgoing-mail.ts';
import { type OutgoingDelivery, OutgoingStore } from './outgoing-store.ts';
import { type PreparedMail, prepareMail } from './prepare-mail.ts';
import { domainOf } from './recipient-condition.ts';
import { SendQuota } from './send-quota.ts';
import { readSendRequest } from './send-request.ts';
import { authorizeSend, verifiedIdentity } from './senders.ts';

interface Deps {
  cloud: Cloud;
  names: NameService;
  identities: IdentityStore;
  database: DatabaseSync;
  /** Names of the configuration sets that were deployed. */
  configurationSets: ReadonlySet<string>;
}

/** Mail to its mailboxes is tried, not sent: it counts for nothing ("Using the mailbox simulator"). */
const SIMULATOR = 'simulator.amazonses.com';

/** Bytes of a request: the mail in base64, and what is said beside it. */
export const LARGEST_SEND_REQUEST = LARGEST_ENCODED + 1024 * 1024;

/** SES sending: takes a mail when it is allowed, and hands it to who delivers it. */
export class Sending {
  readonly quota: SendQuota;
  readonly deliveries: OutgoingDeliveries;
  readonly #deps: Deps;
  readonly #store: OutgoingStore;
  readonly #signer: MailSigner;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.quota = new SendQuota(deps.cloud, deps.database);
    this.#store = new OutgoingStore(deps.database);
    this.#signer = new MailSigner(deps);
    this.deliveries = new OutgoingDeliveries({ ...deps, store: this.#store });
  }

  /** Publishes the key that mail of an earlier run is signed with. */
  async load(): Promise<void> {
    await this.#signer.load();
  }

  /** The deliveries that are not made yet, the first to be due first; at most 100. */
  waiting(): OutgoingDelivery[] {
    return this.#store.waiting(100);
  }

  /** SendEmail of the second API. Returns once the mail would survive the end of the process. */
  async send(caller: Caller, body: string): Promise<{ MessageId: string }> {
    const { cloud, identities } = this.#deps;
    const request = readSendRequest(body);
    const { mail, senders } = await prepareMail(request);
    const set = request.ConfigurationSetName ?? valueOf(mail, 'X-SES-CONFIGURATION-SET');
    const configurationSet = set ?? identities.behind(senders.from[0]!.address)[0]?.configurationSet;
    // Raw content is SendRawEmail's to IAM, whichever API it came by.
    const action = request.Content.Raw === undefined ? 'SendEmail' : 'SendRawEmail';
    authorizeSend(this.#deps, { caller, action, senders, configurationSet });
    if (configurationSet !== undefined && !this.#deps.configurationSets.has(configurationSet)) {
      const message = `Configuration set <${configurationSet}> does not exist.`;
      throw new AwsError('NotFoundException', message, { status: 404 });
    }
    const identity = verifiedIdentity(this.#deps, senders);
    const counted = senders.recipients.filter((address) => domainOf(address) !== SIMULATOR).length;
    this.quota.take(counted);
    const id = messageId(cloud.clock.now());
    await this.#accept(id, { mail, senders }, identity, counted);
    return { MessageId: id };
  }

  async #accept(
    id: string,
    { mail, senders }: PreparedMail,
    identity: Identity,
    counted: number,
  ): Promise<void> {
    const { cloud, database } = this.#deps;
    const now = cloud.clock.now();
    const unsigned = finished(mail, { messageId: id, now: new Date(now), region: cloud.region });
    const message = await this.#signer.sign(unsigned, identity);
    const { weather } = cloud;
    const late = weather.strikes('delay') || weather.strikes('reorder') ? weather.random() * 2000 : 0;
    const sender = `${id}@${this.#mailFrom(identity)}`;
    const { recipients } = senders;
    // The cloud went down meanwhile: the caller hears of no id.
    if (!database.isOpen) throw new AwsError('ServiceUnavailable', 'SES is stopping', { status: 503 });
    transaction(database, () => {
      this.quota.count(counted);
      this.#store.add({ id, sender, message, recipients, accepted: now, due: now + late });
    });
    this.deliveries.wake();
  }

  /** The envelope sender's domain ("Using a custom MAIL FROM domain"). */
  #mailFrom(identity: Identity): string {
    const { cloud, identities } = this.#deps;
    if (identities.mailFromWorks(identity)) return identity.mailFrom!.domain;
    return cloud.region === 'us-east-1' ? 'amazonses.com' : `${cloud.region}.amazonses.com`;
  }
}

/** As SES forms them: the time in milliseconds, then something random. */
const messageId = (now: number) =>
  `0100${Math.floor(now).toString(16).padStart(12, '0')}-${randomUUID()}-000000`;
