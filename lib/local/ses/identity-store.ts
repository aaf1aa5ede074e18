import { randomBytes, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import { canonicalName, isWithin } from '../dns/domain-name.ts';
import type { NameService } from '../dns/name-service.ts';
import { dkimRecordValue, rsaKey } from '../dns/rsa-key.ts';
import { Zone } from '../dns/zone.ts';

export const identitySchema = `
  CREATE TABLE IF NOT EXISTS identity (name TEXT PRIMARY KEY, content TEXT NOT NULL);
`;

export interface Identity {
  name: string;
  /** Easy DKIM: three names under which AWS publishes and rotates keys. */
  tokens: string[];
  createdAt: number;
  dkimSigning: boolean;
  mailFrom: { domain: string; onMxFailure: string } | undefined;
  feedbackForwarding: boolean;
  configurationSet: string | undefined;
}

const DKIM_HOST = 'dkim.amazonses.com';

/** Sender and receiver identities: their Easy DKIM keys are published at once, and DNS says whether they are verified. */
export class IdentityStore {
  readonly #cloud: Cloud;
  readonly #database: DatabaseSync;
  readonly #names: NameService;
  readonly #zone = new Zone(DKIM_HOST);

  constructor(cloud: Cloud, database: DatabaseSync, names: NameService) {
    this.#cloud = cloud;
    this.#database = database;
    this.#names = names;
    names.add(this.#zone);
  }

  /** Publishes what an earlier run made. */
  async load(): Promise<void> {
    for (const identity of this.list()) await this.#publish(identity);
  }

  list(): Identity[] {
    const rows = this.#database.prepare('SELECT content FROM identity ORDER BY name').all();
    return rows.map((row) => JSON.parse(String(row['content'])) as Identity);
  }

  find(name: string): Identity | undefined {
    const row = this.#database
      .prepare('SELECT content FROM identity WHERE name = ?')
      .get(canonicalName(name));
    return row === undefined ? undefined : (JSON.parse(String(row['content'])) as Identity);
  }

  /** Creates the identity, or changes its settings; the DKIM names stay for life. */
  async put(name: string, settings: Omit<Identity, 'name' | 'tokens' | 'createdAt'>): Promise<Identity> {
    const known = this.find(name);
    const identity: Identity = {
      ...settings,
      name: canonicalName(name),
      tokens: known?.tokens ?? [dkimToken(), dkimToken(), dkimToken()],
      createdAt: known?.createdAt ?? this.#cloud.clock.now(),
    };
    const upsert =
      'INSERT INTO identity (name, content) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET content = excluded.content';
    this.#database.prepare(upsert).run(identity.name, JSON.stringify(identity));
    await this.#publish(identity);
    return identity;
  }

  /** The private key behind the identity's DKIM names. */
  key(identity: Identity): Promise<KeyObject> {
    return rsaKey(join(this.#cloud.home, 'ses', 'dkim', `${encodeURIComponent(identity.name)}.pem`));
  }

  /** Where each token has to lead, and leads once the domain's owner has put it into DNS. */
  dkimRecords(identity: Identity): { name: string; value: string }[] {
    return identity.tokens.map((token) => ({
      name: `${token}._domainkey.${identity.name}`,
      value: `${token}.${DKIM_HOST}`,
    }));
  }

  /** Those of the DKIM records that DNS does not show. */
  missingRecords(identity: Identity): { name: string; value: string }[] {
    return this.dkimRecords(identity).filter(({ name, value }) => {
      const alias = this.#names.answer(name, 'CNAME').sets.find(({ type }) => type === 'CNAME');
      return alias === undefined || canonicalName(alias.values[0]!) !== value;
    });
  }

  isVerified = (identity: Identity): boolean => this.missingRecords(identity).length === 0;

  /** The identities that speak for a domain: its own and those of the domains above it. */
  covering(domain: string): Identity[] {
    return this.list().filter((identity) => isWithin(canonicalName(domain), identity.name));
  }

  /**
   * The identities an address is sent as, the nearest first: its own, its domain's and those of the domains above,
   * which cover every subdomain ("Creating and verifying identities in Amazon SES").
   */
  behind(address: string): Identity[] {
    const own = this.find(address);
    const domains = this.covering(address.slice(address.lastIndexOf('@') + 1));
    domains.sort((a, b) => b.name.length - a.name.length);
    return own === undefined ? domains : [own, ...domains];
  }

  /** Whether the MAIL FROM domain has its MX at SES. */
  mailFromWorks({ mailFrom }: Identity): boolean {
    if (mailFrom === undefined) return false;
    const wanted = `feedback-smtp.${this.#cloud.region}.amazonses.com`;
    const { sets } = this.#names.answer(mailFrom.domain, 'MX');
    return sets.some(({ values }) =>
      values.some((value) => canonicalName(value.split(' ').at(-1)!) === wanted),
    );
  }

  async #publish(identity: Identity): Promise<void> {
    const value = dkimRecordValue(await this.key(identity));
    for (const token of identity.tokens) {
      this.#zone.put({ name: `${token}.${DKIM_HOST}`, type: 'TXT', ttl: 300, values: [value] });
    }
  }
}

/** 32 characters of AWS's alphabet for them. */
const dkimToken = () =>
  Array.from(randomBytes(32), (octet) => 'abcdefghijklmnopqrstuvwxyz234567'[octet % 32]).join('');
