import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../cloud.ts';
import type { Clock } from '../clock.ts';
import type { Iam } from './iam.ts';
import { readKeyFile, type KeyFile } from './key-file.ts';

export interface SessionKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When AWS would end the session: what was presigned with it ends then too. */
  expiration: Date;
}

/** A key that may sign: whose it is, and its secret. */
export interface SigningKey {
  caller: Caller;
  secret: string;
}

/** Milliseconds; a session of a function's role. AWS gives no number for Lambda; its role sessions end within 12 h. */
const sessionLength = 12 * 60 * 60 * 1000;

interface Session {
  accessKeyId: string;
  roleArn: string;
  functionName: string;
  expires: number;
}

/**
 * The access keys of this home. A session token holds its session, sealed with the home's secret, so that a URL
 * presigned before a restart still works after it, as on AWS; a call needs a key issued since.
 */
export class AccessKeys {
  readonly #file: KeyFile;
  readonly #iam: Iam;
  readonly #clock: Clock;
  readonly #live = new Set<string>();
  readonly #revoked = new Set<string>();

  constructor(home: string, iam: Iam, clock: Clock) {
    this.#file = readKeyFile(home);
    this.#iam = iam;
    this.#clock = clock;
  }

  /** The long-lived key of the operator; the same for the life of the home. */
  get operator(): { accessKeyId: string; secretAccessKey: string } {
    return this.#file.operator;
  }

  /** Keys of their own for one instance of a function. Throws AwsError when Lambda may not assume the role. */
  issueKeys(roleArn: string, functionName: string): SessionKeys {
    const lambda: Caller = {
      kind: 'service',
      service: 'lambda.amazonaws.com',
      sourceAccount: this.#iam.account,
    };
    this.#iam.assumeRole(roleArn, lambda, functionName);
    const accessKeyId = `ASIA${base32(randomBytes(16))}`;
    const expires = this.#clock.now() + sessionLength;
    this.#live.add(accessKeyId);
    return {
      accessKeyId,
      secretAccessKey: this.#secretOf(accessKeyId),
      sessionToken: this.#seal({ accessKeyId, roleArn, functionName, expires }),
      expiration: new Date(expires),
    };
  }

  /** Ends a session at once, with everything presigned in it. */
  revoke(accessKeyId: string): void {
    this.#live.delete(accessKeyId);
    this.#revoked.add(accessKeyId);
  }

  /** Ends the calls of an instance that is gone; what it presigned lasts until its session would end. */
  retire(accessKeyId: string): void {
    this.#live.delete(accessKeyId);
  }

  /**
   * The key, or why there is none. What was presigned (at `presignedAt`) works until its session ends; a call needs an
   * instance that is alive, and that one's session is renewed, as Lambda replaces its instances in time.
   */
  find(
    accessKeyId: string,
    token: string | undefined,
    presignedAt: number | undefined,
  ): SigningKey | 'unknown' | 'expired' {
    const { operator } = this.#file;
    if (accessKeyId === operator.accessKeyId) {
      const caller: Caller = { kind: 'operator', arn: this.#iam.operatorArn, accessKeyId };
      return { caller, secret: operator.secretAccessKey };
    }
    const session = token === undefined ? undefined : this.#open(token);
    if (session?.accessKeyId !== accessKeyId || this.#revoked.has(accessKeyId)) return 'unknown';
    if (presignedAt === undefined ? !this.#live.has(accessKeyId) : this.#over(session, presignedAt))
      return 'expired';
    const { roleArn, functionName } = session;
    const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    const arn = `arn:aws:sts::${this.#iam.account}:assumed-role/${name}/${functionName}`;
    return {
      caller: { kind: 'role', roleArn, arn, accessKeyId, functionName },
      secret: this.#secretOf(accessKeyId),
    };
  }

  #over({ expires }: Session, signedAt: number): boolean {
    const end = signedAt <= expires ? expires : signedAt + sessionLength;
    return end <= this.#clock.now();
  }

  #secretOf(accessKeyId: string): string {
    return this.#mac(`key ${accessKeyId}`).toString('base64').slice(0, 40);
  }

  #seal(session: Session): string {
    const body = Buffer.from(JSON.stringify(session)).toString('base64url');
    return `${body}.${this.#mac(`token ${body}`).toString('base64url')}`;
  }

  #open(token: string): Session | undefined {
    const [body = '', seal = ''] = token.split('.');
    const [given, right] = [Buffer.from(seal, 'base64url'), this.#mac(`token ${body}`)];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as Session;
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#file.secret).update(text).digest();
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const base32 = (bytes: Buffer) => Array.from(bytes, (byte) => alphabet[byte % 32]).join('');
