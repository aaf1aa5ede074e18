import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { createSigV4Fetch } from '../../lib/cli/sigv4-fetch.ts';
import type { Message } from '../../lib/contract/message.ts';
import type { Permissions } from '../../lib/contract/permission.ts';
import type { LocalCloud } from '../../lib/local/start.ts';
import { badWeather, calm, type Misfortune, type Weather } from '../../lib/local/weather.ts';
import { createClient, type Client } from '../../lib/sdk/client.ts';
import type { SigningJwk } from '../../lib/sdk/key.ts';
import { createOperator, type Operator } from '../../lib/sdk/operator.ts';
import { domain, openCloud, type OpenCloud, type Resources } from './local-cloud.ts';

export { domain };

/** How often each misfortune strikes in a journey that says nothing else. */
const usualOdds: Partial<Record<Misfortune, number>> = {
  duplicate: 0.15,
  reorder: 0.2,
  delay: 0.1,
  'index-lag': 0.1,
  'transaction-conflict': 0.05,
  throttle: 0.02,
  'partial-batch': 0.05,
  'another-instance': 1,
};

/**
 * Nothing goes wrong. Only the next event of a function goes to another instance: so a call that one makes after its
 * answer is seen, as is state that its events share.
 */
const fine: Weather = { ...calm, strikes: (misfortune) => misfortune === 'another-instance' };

export interface MailroomOptions {
  /** Instead of or beside the usual ones; `calm` leaves them all out. */
  odds?: Partial<Record<Misfortune, number>> | 'calm';
  /** Dead letters, that the journey is about. */
  expects?: { deadLetters?: boolean };
  /** A cloud of its own, for a journey that looks at all there is in it, or goes by the machine's clock. */
  own?: true;
  /** Changes the synthesized template before it is deployed, in a cloud of its own. */
  edit?: (resources: Resources) => void;
}

/** Milliseconds within which a mail has to be there, by the machine's clock. */
const patience = 45_000;

/** A mailroom that all tests of a file share, in bad weather; opened before the first and inspected after the last. */
export function sharedMailroom(options: MailroomOptions = {}): Mailroom {
  const mailroom = new Mailroom(options);
  beforeAll(() => mailroom.open());
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') mailroom.tell();
  });
  afterAll(() => mailroom.close());
  return mailroom;
}

const seed = Number(process.env['WEATHER_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** The cloud of all files of this process that need none of their own; each has an organization of its own in it. */
let common: Promise<OpenCloud> | undefined;
/** One file runs at a time in a process: its weather is that of every cloud there. */
let sky: Weather = calm;
const changing: Weather = {
  seed,
  random: () => sky.random(),
  strikes: (misfortune) => sky.strikes(misfortune),
};
const isDead = (logicalId: string) => /dead/i.test(logicalId);

export class Mailroom {
  readonly seed = seed;
  readonly #options: MailroomOptions;
  readonly #common: boolean;
  #open: OpenCloud | undefined;
  #before = { refusals: 0, stray: 0 };
  #first: { organization_id: string; key: { private_jwk: SigningJwk } } | undefined;
  #transport: ReturnType<typeof nodemailer.createTransport> | undefined;
  readonly #bad: Weather;
  /** How many of all calls were looked at, and how many of them were work. */
  #counted = 0;
  #worked = 0;

  constructor(options: MailroomOptions = {}) {
    this.#options = options;
    const { odds, own, edit } = options;
    this.#common = own === undefined && edit === undefined;
    this.#bad = odds === 'calm' ? fine : badWeather(seed, { ...usualOdds, ...odds });
  }

  async open(): Promise<void> {
    const { edit } = this.#options;
    const start = () => openCloud({ weather: changing, ...(edit && { edit }) });
    this.rain(false);
    this.#open = this.#common ? await (common ??= start()) : await start();
    const { iam, services } = this.cloud;
    this.#before = {
      refusals: iam.refusals.length,
      stray: services.lambda.strayCalls.length,
    };
    const { smtp } = this.cloud;
    this.#transport = nodemailer.createTransport({ ...smtp, name: 'sender.test', ignoreTLS: true });
    const { organization_id } = await this.operator.organizations.create();
    this.#first = { organization_id, key: await this.key(undefined, organization_id) };
    this.rain(true);
  }

  get cloud(): LocalCloud {
    if (this.#open === undefined) throw new Error('the mailroom is not open');
    return this.#open.cloud;
  }
  get printed(): string[] {
    return this.#open?.printed ?? [];
  }
  get organization_id(): string {
    return this.#first!.organization_id;
  }

  /** With an unrestricted key of the first organization, or with another one. */
  client(key: { private_jwk: SigningJwk } = this.#first!.key): Client {
    // A client of the field repeats what was throttled; here without waiting seconds for it.
    return createClient({
      baseUrl: this.cloud.api,
      key,
      retries: 5,
      pause: () => wait(20),
      now: () => this.cloud.clock.now(),
    });
  }

  get operator(): Operator {
    const { api, operator, clock } = this.cloud;
    const signed = createSigV4Fetch({ api, operator, now: () => clock.now() });
    return createOperator({ baseUrl: api, fetch: signed, retries: 5, pause: () => wait(20) });
  }

  /** A key of the first organization, or of another, with just these permissions. */
  async clientWith(permissions?: Permissions, organization_id = this.organization_id): Promise<Client> {
    return this.client(await this.key(permissions, organization_id));
  }

  /** A new key of an organization, with just these permissions. */
  async key(permissions?: Permissions, organization_id = this.organization_id) {
    const made = await this.operator.apiKeys.create(organization_id, {
      type: 'generate',
      ...(permissions && { permissions }),
    });
    if (made.type !== 'public_key' || made.private_jwk === undefined) throw new Error('no pair was made');
    return { api_key_id: made.api_key_id, private_jwk: made.private_jwk };
  }

  /** A new organization and an unrestricted key for it. */
  async organization(): Promise<{ organization_id: string; client: Client }> {
    const { organization_id } = await this.operator.organizations.create();
    return { organization_id, client: await this.clientWith(undefined, organization_id) };
  }

  /** A new inbox; a repeat after an answer that got lost finds it. Answers its address. */
  async inbox(client = this.client(), username?: string): Promise<string> {
    const name = username ?? `agent-${++inboxes}`;
    return (await client.inboxes.create({ username: name, client_id: `journey-${name}` })).inbox_id;
  }

  /** Sends as alice@sender.test, which authenticates from this machine. Returns with the 250. */
  async send(mail: SendMailOptions): Promise<void> {
    await this.#transport!.sendMail({
      from: 'Alice <alice@sender.test>',
      subject: 'A test',
      text: 'Hello.',
      ...mail,
    });
  }

  /** Sends these bytes as they are; in text, every line ends in CRLF. */
  async sendRaw(to: string | string[], raw: string | Buffer, from = 'alice@sender.test'): Promise<void> {
    const bytes = typeof raw === 'string' ? Buffer.from(raw.replace(/\r?\n/g, '\r\n')) : raw;
    await this.#transport!.sendMail({ envelope: { from, to }, raw: bytes });
  }

  /**
   * What is checked must come true; meanwhile the cloud's clock runs ahead. While functions are at work it is a little
   * (what was delayed by the weather comes within seconds); when all is still, by a minute and then by some at a time,
   * until due work, a visibility timeout or the reconciler sets something going. It is checked again when work came to
   * rest, since each check is work for the machine too.
   */
  async eventually<T>(check: () => Promise<T> | T): Promise<T> {
    const end = performance.now() + patience;
    let leap = 1;
    for (;;) {
      try {
        return await check();
      } catch (error) {
        if (performance.now() > end) throw error;
      }
      if (await this.#movement()) continue;
      await this.pass(leap);
      leap = 4;
    }
  }

  /** Lets some minutes pass at once; what becomes due then has a second of the machine. */
  async pass(minutes: number): Promise<void> {
    this.cloud.clock.advance(minutes * 61_000);
    for (let n = 0; n < 3 || (n < 100 && this.cloud.services.lambda.running > 0); n++) await wait(10);
  }

  /** It is so many milliseconds later at once, after all that was under way; what becomes due has a second of the machine. */
  async sleep(ms: number): Promise<void> {
    while (await this.#movement());
    this.cloud.clock.advance(ms);
    await this.pass(0);
  }

  /** Whether anything happened before some ticks of stillness is over; returns when it came to rest, or takes long. */
  async #movement(): Promise<boolean> {
    const before = this.#work();
    let seen = before;
    for (let tick = 1, still = 0; still < 6; tick++) {
      await wait(20);
      this.cloud.clock.advance(400);
      const work = this.#work();
      const rests = work === seen && this.cloud.services.lambda.running === 0;
      still = rests ? still + 1 : 0;
      seen = work;
      if (work !== before && (rests || tick >= 10)) return true;
    }
    return false;
  }

  /** Grows with every call of a function that no caller waits for; a check may leave lines, and they are sealed. */
  #work(): number {
    const { list } = this.cloud.calls;
    if (list.length < this.#counted) this.#counted = 0;
    for (; this.#counted < list.length; this.#counted++) {
      const { service, by } = list[this.#counted]!;
      if (service !== 'sqs' && !/operator|apigateway|apifunction|ledger/.test(by)) this.#worked++;
    }
    return this.#worked;
  }

  /** The messages of an inbox, newest first, once there are so many and the lists say so. */
  async messages(
    inbox: string,
    count: number,
    client = this.client(),
    query: Parameters<Client['inboxes']['messages']['list']>[1] = {},
  ) {
    return this.eventually(async () => {
      const { messages } = await client.inboxes.messages.list(inbox, query);
      if (messages.length !== count)
        throw new Error(
          `${messages.length} messages in ${inbox}, not ${count}: ${messages.map(({ subject }) => subject).join(', ')}`,
        );
      return messages;
    });
  }

  /** The one message of this subject, whole. */
  async message(inbox: string, subject: string, client = this.client()): Promise<Message> {
    const found = await this.eventually(async () => {
      const { messages } = await client.inboxes.messages.list(inbox, {
        limit: 100,
        include_spam: true,
        include_blocked: true,
        include_unauthenticated: true,
      });
      const [one, ...others] = messages.filter((each) => each.subject === subject);
      if (one === undefined || others.length > 0)
        throw new Error(`${others.length + (one ? 1 : 0)} messages "${subject}" in ${inbox}`);
      return one;
    });
    return client.inboxes.messages.get(inbox, found.message_id);
  }

  /** Waits until nothing is on its way: no message in a queue, nothing left in `incoming/`. */
  async quiet(): Promise<void> {
    await this.eventually(async () => {
      const left = (await this.objects('incoming/')).filter(
        (key) => !key.endsWith('/AMAZON_SES_SETUP_NOTIFICATION'),
      );
      const waiting = left.length + (await this.queued((name) => !/dead/i.test(name)));
      if (waiting > 0) throw new Error(`${waiting} messages are on their way`);
    });
  }

  /** URLs of queues whose logical id matches. */
  queueUrls(matches: (logicalId: string) => boolean): string[] {
    return Object.entries(this.cloud.refs).flatMap(([id, ref]) =>
      /^https?:.*\/\d{12}\//.test(ref) && matches(id) ? [ref] : [],
    );
  }

  /** Signs as the operator, at the time of the cloud. */
  #aws() {
    const { aws: endpoint, operator, clock } = this.cloud;
    const credentials = { accessKeyId: operator.access_key_id, secretAccessKey: operator.secret_access_key };
    return { endpoint, region: operator.region, credentials, systemClockOffset: clock.now() - Date.now() };
  }
  sqs(): SQSClient {
    return new SQSClient({ ...this.#aws(), maxAttempts: 10 });
  }
  dynamodb(): DynamoDBClient {
    return new DynamoDBClient({ ...this.#aws(), maxAttempts: 10 });
  }
  /** The name of the one resource whose logical id is this and a hash. */
  named(logicalId: string): string {
    const ids = Object.keys(this.cloud.refs).filter((id) => new RegExp(`^${logicalId}[0-9A-F]{8}$`).test(id));
    if (ids.length !== 1) throw new Error(`${ids.length} resources ${logicalId}`);
    return this.cloud.refs[ids[0]!]!;
  }
  get tableName(): string {
    return this.named('storetable');
  }
  s3(): S3Client {
    return new S3Client({ ...this.#aws(), maxAttempts: 10, forcePathStyle: true });
  }
  get bucket(): string {
    return this.named('storebucket');
  }
  /** Keys of the mail bucket that begin so; at most 1,000. */
  async objects(prefix: string): Promise<string[]> {
    const { Contents = [] } = await this.s3().send(
      new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix }),
    );
    return Contents.map(({ Key }) => Key!);
  }

  async queued(matches: (logicalId: string) => boolean): Promise<number> {
    const sqs = this.sqs();
    const AttributeNames = [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ] as const;
    let sum = 0;
    for (const QueueUrl of this.queueUrls(matches)) {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
      );
      for (const name of AttributeNames) sum += Number(Attributes[name]);
    }
    return sum;
  }

  async #clear(matches: (logicalId: string) => boolean): Promise<void> {
    // A queue is purged once a minute at most.
    this.cloud.clock.advance(61_000);
    const sqs = this.sqs();
    for (const QueueUrl of this.queueUrls(matches)) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  }

  /** The weather clears up, or it rains again. */
  rain(raining: boolean): void {
    sky = raining ? this.#bad : fine;
  }

  /** Just these misfortunes, until the weather is changed. */
  storm(odds: Partial<Record<Misfortune, number>>): void {
    sky = badWeather(this.seed, { ...odds, 'another-instance': 1 });
  }

  tell(): void {
    console.log(
      `weather seed ${this.seed} (repeat with WEATHER_SEED=${this.seed})\n${this.printed
        .slice(-30)
        .map((line) => line.slice(0, 500))
        .join('\n')}`,
    );
  }

  /** Stops the cloud, unless others share it, and says what no journey may leave behind. */
  async close(): Promise<void> {
    if (this.#open === undefined) return;
    const { iam, services } = this.cloud;
    try {
      this.rain(false);
      // What a test that failed has left is not the next file's.
      this.cloud.outages.clear();
      const { refusals, stray } = this.#before;
      if (this.#options.expects?.deadLetters) await this.#clear(isDead);
      const left = {
        refusals: iam.refusals.slice(refusals),
        stray: services.lambda.strayCalls.slice(stray),
        deadLetters: await this.queued(isDead),
      };
      expect(left).toEqual({ refusals: [], stray: [], deadLetters: 0 });
    } finally {
      if (!this.#common) await this.#open.close();
    }
  }
}

let inboxes = 0;
