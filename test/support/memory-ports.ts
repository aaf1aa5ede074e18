import { createHash } from 'node:crypto';
import { keys } from '../../lib/adapters/keys.ts';
import type { Deed } from '../../lib/contract/call.ts';
import type { MailEvent } from '../../lib/contract/event.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import type { Undeliverable } from '../../lib/contract/undeliverable.ts';
import type { ParsedFile } from '../../lib/core/mail.ts';
import type { DueStore, DueWork, Waiting } from '../../lib/core/due-ports.ts';
import type { Bodies, MailObjects, ObjectFolder } from '../../lib/core/mail-ports.ts';
import type {
  Holder,
  InboxStore,
  PageTokens,
  Provision,
  ProvisionOutcome,
  StoredInbox,
  Takedown,
} from '../../lib/core/ports.ts';
import { mailDomain, sampleMail, ulidAt } from './mail-samples.ts';

/** Tokens anybody can read, bound to their purpose. */
export const plainTokens: PageTokens = {
  seal: async (position, purpose) => Buffer.from(JSON.stringify([position, purpose])).toString('base64url'),
  open: async (token, purpose) => {
    const [position, made] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [
      Record<string, unknown>,
      string,
    ];
    return made === purpose ? position : undefined;
  },
};

/** ULIDs that count up, and a clock that stands where it is put. */
export const counting = () => {
  let next = 1_000_000;
  return () => ulidAt(next++);
};
export const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();
export { keys };

const folderName = ({ organization_id, uid, message_id }: ObjectFolder): string =>
  `${organization_id}/${uid}/${message_id}`;

/** The bucket: which objects are there. Mails are put into `incoming` as the parser will see them. */
export class MemoryObjects implements MailObjects {
  readonly incoming = new Map<string, Omit<ParsedFile, typeof Symbol.asyncDispose>>();
  readonly kept = new Map<string, unknown>();
  left: { key: string; stored_at: string; head: string }[] = [];
  disposed = 0;

  /** Puts a mail where SES would, and answers its key. */
  arrive(key: string, mail = sampleMail()): void {
    this.incoming.set(key, mail);
  }
  /** A parser that takes a mail as it was put there. */
  readonly parser = {
    parse: async (raw: AsyncIterable<Uint8Array>): Promise<ParsedFile> => {
      let key = '';
      for await (const chunk of raw) key += Buffer.from(chunk).toString();
      return { ...this.incoming.get(key)!, [Symbol.asyncDispose]: async () => void this.disposed++ };
    },
  };
  async openIncoming(key: string) {
    if (!this.incoming.has(key)) return undefined;
    return (async function* () {
      yield Buffer.from(key);
    })();
  }
  async keepRaw(key: string, folder: ObjectFolder) {
    if (!this.incoming.has(key)) return 'gone' as const;
    this.kept.set(`${folderName(folder)}/raw`, key);
    return 'kept' as const;
  }
  async putAttachment(folder: ObjectFolder, { attachment_id }: { attachment_id: string }) {
    this.kept.set(`${folderName(folder)}/${attachment_id}`, true);
  }
  async putBodies(folder: ObjectFolder, bodies: Bodies, large: ('text' | 'html')[]) {
    const rest = Object.fromEntries(
      Object.entries(bodies).filter(([name]) => !(large as string[]).includes(name)),
    );
    this.kept.set(`${folderName(folder)}/body`, rest);
    for (const name of large) this.kept.set(`${folderName(folder)}/${name}`, bodies[name]);
  }
  async getBodies(folder: ObjectFolder) {
    return this.kept.get(`${folderName(folder)}/body`) as Bodies;
  }
  async removeIncoming(key: string) {
    this.incoming.delete(key);
  }
  async leftIncoming() {
    return this.left.filter(({ key }) => this.incoming.has(key));
  }
  async removeAll(folder: ObjectFolder) {
    for (const name of this.kept.keys())
      if (name.startsWith(`${folderName(folder)}/`)) this.kept.delete(name);
  }
  async urlOf(folder: ObjectFolder, what: 'raw' | 'text' | 'html' | { attachment_id: string }) {
    const name = typeof what === 'string' ? what : what.attachment_id;
    return {
      download_url: `https://bucket.test/${folderName(folder)}/${name}`,
      expires_at: '2030-01-01T00:00:00.000Z',
    };
  }
}

/** Inboxes: one holder an address, one inbox a client id. */
export class MemoryInboxes implements InboxStore {
  readonly rows = new Map<string, StoredInbox>();
  readonly provisions: Provision[] = [];
  /** What changes were told of. */
  readonly announced: MailEvent[] = [];
  readonly addresses = new Map<string, Holder>();
  readonly #clients = new Map<string, string>();
  /** Answers instead of what the rows say, once each. */
  next: ProvisionOutcome[] = [];
  /** Runs ahead of each update, where a test lets a neighbour in. */
  before: () => void = () => undefined;

  add(inbox: InboxRef, ...addresses: string[]): void {
    for (const address of [inbox.inbox_id, ...addresses]) this.addresses.set(address, inbox);
  }
  async provision(provision: Provision): Promise<ProvisionOutcome> {
    const forced = this.next.shift();
    if (forced !== undefined) return forced;
    const { inbox, deed } = provision;
    const client = inbox.client_id === undefined ? undefined : `${inbox.organization_id} ${inbox.client_id}`;
    const made = client === undefined ? undefined : this.#clients.get(client);
    if (made !== undefined) {
      const { webhook } = this.provisions.find((one) => one.inbox.uid === made)!;
      return { existing: this.rows.get(made)!, ...(webhook && { webhook }) };
    }
    const holder = this.addresses.get(inbox.inbox_id);
    if (holder !== undefined) return { taken_by: holder.organization_id };
    this.provisions.push(provision);
    this.rows.set(inbox.uid, inbox);
    if (client !== undefined) this.#clients.set(client, inbox.uid);
    this.add(inbox);
    if (deed !== undefined) deed.written = true;
    return 'created';
  }
  async get({ uid }: { uid: string }) {
    return this.rows.get(uid);
  }
  async list() {
    return { items: [...this.rows.values()] };
  }
  async update(inbox: StoredInbox, expected: string, deed?: Deed, event?: MailEvent) {
    this.before();
    const current = this.rows.get(inbox.uid);
    if (current === undefined) return 'gone' as const;
    if (current.updated_at !== expected) return 'stale' as const;
    this.rows.set(inbox.uid, inbox);
    if (event !== undefined) this.announced.push(event);
    if (deed !== undefined) deed.written = true;
    return 'updated' as const;
  }
  readonly taken: Takedown[] = [];
  readonly restingAddresses = new Set<string>();
  async takeDown(down: Takedown) {
    const { uid, inbox_id } = down.inbox;
    if (down.expires_at !== undefined && this.rows.get(uid)?.expires_at !== down.expires_at)
      return 'gone' as const;
    if (!this.rows.delete(uid)) return 'gone' as const;
    this.taken.push(down);
    this.addresses.delete(inbox_id);
    this.restingAddresses.add(inbox_id);
    if (down.deed !== undefined) down.deed.written = true;
    return 'taken_down' as const;
  }
  async resting(addresses: string[]) {
    return new Set(addresses.filter((address) => this.restingAddresses.has(address)));
  }
  async holders(addresses: string[]) {
    return new Map(
      addresses.flatMap((address) =>
        this.addresses.has(address) ? [[address, this.addresses.get(address)!] as const] : [],
      ),
    );
  }
}

export class MemoryUndeliverable {
  readonly rows = new Map<string, Omit<Undeliverable, 'undeliverable_id'>>();
  async note(entries: Omit<Undeliverable, 'undeliverable_id'>[]) {
    for (const entry of entries) this.rows.set(`${entry.ses_message_id} ${entry.recipient}`, entry);
  }
  async list() {
    return { items: [] };
  }
}

/** Work by when it is due; whatever is filed counts as due. */
export class MemoryDue implements DueStore {
  readonly filed = new Map<string, DueWork>();
  readonly putOffs: string[] = [];

  add(id: string, work: DueWork): void {
    this.filed.set(id, work);
  }
  lanes() {
    return [this.#lane()];
  }
  async *#lane() {
    for (const [id, work] of [...this.filed].sort(([one], [other]) => (one < other ? -1 : 1)))
      yield { id, work };
  }
  async file(waiting: Waiting) {
    this.add(placeOf(waiting), waiting.work);
  }
  async withdraw(waiting: Waiting[]) {
    for (const one of waiting) this.filed.delete(placeOf(one));
  }
  async done(id: string) {
    this.filed.delete(id);
  }
  async putOff(id: string) {
    this.putOffs.push(id);
    this.filed.delete(id);
  }
}
const placeOf = ({ work, at }: Waiting): string =>
  `${new Date(at).toISOString().slice(0, 16)} ${JSON.stringify(work)}`;

export const address = (name: string): string => `${name}@${mailDomain}`;
