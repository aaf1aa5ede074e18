import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a session token holds. */
export interface Session {
  accessKeyId: string;
  roleArn: string;
  /** The function whose instance has the session, or assumed it. */
  functionName?: string;
  /** Milliseconds since the epoch. */
  expires: number;
  /** Present when STS made the session, and not Lambda for an instance. */
  assumed?: { name: string; tags: Record<string, string>; instanceKey?: string };
}

/** Seals sessions into tokens and derives the secrets of their keys, both from the secret of the home. */
export class SessionTokens {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The secret access key that belongs to an id. */
  secretOf(accessKeyId: string): string {
    return this.#mac(`key ${accessKeyId}`).toString('base64').slice(0, 40);
  }

  seal(session: Session): string {
    const body = Buffer.from(JSON.stringify(session)).toString('base64url');
    return `${body}.${this.#mac(`token ${body}`).toString('base64url')}`;
  }

  /** Undefined for a token that this home did not seal. */
  open(token: string): Session | undefined {
    const [body = '', seal = ''] = token.split('.');
    const [given, right] = [Buffer.from(seal, 'base64url'), this.#mac(`token ${body}`)];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as Session;
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest();
  }
}
