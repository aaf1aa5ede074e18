import { createHash, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import type { Cloud } from '../cloud.ts';
import type { NameService } from '../dns/name-service.ts';
import { dkimRecordValue, rsaKey } from '../dns/rsa-key.ts';
import { Zone } from '../dns/zone.ts';
import type { Identity, IdentityStore } from './identity-store.ts';

const OWN_DOMAIN = 'amazonses.com';

interface Signature {
  signingDomain: string;
  selector: string;
  privateKey: string;
}

/** Signs outgoing mail: with the identity's Easy DKIM key, and as SES always does with a key of amazonses.com. */
export class MailSigner {
  readonly #identities: IdentityStore;
  readonly #clock: Cloud['clock'];
  readonly #file: string;
  readonly #zone = new Zone(`_domainkey.${OWN_DOMAIN}`);
  #own: Promise<Signature> | undefined;

  constructor(options: { cloud: Cloud; names: NameService; identities: IdentityStore }) {
    this.#identities = options.identities;
    this.#clock = options.cloud.clock;
    this.#file = join(options.cloud.home, 'ses', `${OWN_DOMAIN}.pem`);
    options.names.add(this.#zone);
  }

  /** Publishes the key of an earlier run: mail signed with it may still be on its way. */
  async load(): Promise<void> {
    if (existsSync(this.#file)) await this.#ownSignature();
  }

  /** The message with its signatures before it. `identity` signs nothing where its Easy DKIM is off. */
  async sign(message: Buffer, identity: Identity): Promise<Buffer> {
    const own = await this.#ownSignature();
    const signed = await dkimSign(message, {
      canonicalization: 'relaxed/simple',
      algorithm: 'rsa-sha256',
      signTime: new Date(this.#clock.now()),
      // Copies: the signer writes into them.
      signatureData: identity.dkimSigning ? [await this.#easyDkim(identity), { ...own }] : [{ ...own }],
    } as never);
    const [failure] = (signed.errors ?? []) as { err?: Error }[];
    if (failure !== undefined) throw failure.err ?? new Error('the mail could not be signed');
    return Buffer.concat([Buffer.from(signed.signatures), message]);
  }

  async #easyDkim(identity: Identity): Promise<Signature> {
    const key = await this.#identities.key(identity);
    return { signingDomain: identity.name, selector: identity.tokens[0]!, privateKey: pem(key) };
  }

  /** Made with the first mail, so that a cloud that sends none starts as fast as before. */
  #ownSignature(): Promise<Signature> {
    this.#own ??= rsaKey(this.#file).then((key) => {
      const value = dkimRecordValue(key);
      const selector = createHash('sha256').update(value).digest('hex').slice(0, 32);
      this.#zone.put({ name: `${selector}.${this.#zone.origin}`, type: 'TXT', ttl: 300, values: [value] });
      return { signingDomain: OWN_DOMAIN, selector, privateKey: pem(key) };
    });
    return this.#own;
  }
}

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
