import { randomBytes } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { Caller, RoleCaller } from '../cloud.ts';
import type { Clock } from '../clock.ts';
import type { Iam, RoleWish } from './iam.ts';
import { readKeyFile, type KeyFile } from './key-file.ts';
import { SessionTokens, type Session } from './session-token.ts';

export interface SessionKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When AWS would end the session: what was presigned with it ends then too. */
  expiration: Date;
}

/** What STS answers beside the keys. */
export interface AssumedRole extends SessionKeys {
  /** `AROA…:<session name>` */
  id: string;
  arn: string;
}

/** A key that may sign: whose it is, and its secret. */
export interface SigningKey {
  caller: Caller;
  secret: string;
}

/** Milliseconds; a session of a function's role. AWS gives no number for Lambda; its role sessions end within 12 h. */
const sessionLength = 12 * 60 * 60 * 1000;

/**
 * The access keys of this home. A session token holds its session, sealed with the home's secret, so that a URL
 * presigned before a restart still works after it, as on AWS. A function's call needs a key issued since; a session
 * that STS made works until it ends.
 */
export class AccessKeys {
  readonly #file: KeyFile;
  readonly #tokens: SessionTokens;
  readonly #iam: Iam;
  readonly #clock: Clock;
  readonly #live = new Set<string>();
  readonly #revoked = new Set<string>();

  constructor(home: string, iam: Iam, clock: Clock) {
    this.#file = readKeyFile(home);
    this.#tokens = new SessionTokens(this.#file.secret);
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
    const accessKeyId = newKeyId();
    this.#live.add(accessKeyId);
    return this.#keysOf({ accessKeyId, roleArn, functionName, expires: this.#clock.now() + sessionLength });
  }

  /**
   * A session of a role for a caller of STS; it ends after `seconds` by the cloud's clock. Throws AwsError AccessDenied,
   * and ValidationError when the role's sessions may not last that long.
   */
  assume(caller: Caller, wish: RoleWish & { seconds: number }): AssumedRole {
    const { roleArn, sessionName: name, tags, seconds } = wish;
    const role = this.#iam.admit(caller, wish);
    if (seconds > role.maxSession) {
      const message = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.';
      throw new AwsError('ValidationError', message);
    }
    // STS tells the end in whole seconds.
    const expires = Math.floor(this.#clock.now() / 1000) * 1000 + seconds * 1000;
    const { functionName, instanceKey } = instanceOf(caller);
    const session: Session = {
      accessKeyId: newKeyId(),
      roleArn,
      expires,
      ...(functionName === undefined ? {} : { functionName }),
      assumed: { name, tags, ...(instanceKey === undefined ? {} : { instanceKey }) },
    };
    return { ...this.#keysOf(session), id: `${role.id}:${name}`, arn: this.#iam.sessionArn(roleArn, name) };
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

  /** The key of the instance that makes a call: the caller's own, or that of the instance that assumed the role. */
  instanceKey(accessKeyId: string, token: string | undefined): string {
    const session = token === undefined ? undefined : this.#tokens.open(token);
    return session?.assumed?.instanceKey ?? accessKeyId;
  }

  /**
   * The key, or why there is none. What was presigned (at `presignedAt`) works until its session ends; a call needs an
   * instance that is alive, and that one's session is renewed, as Lambda replaces its instances in time. Nobody
   * renews a session that STS made.
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
    const session = token === undefined ? undefined : this.#tokens.open(token);
    if (session?.accessKeyId !== accessKeyId || this.#revoked.has(accessKeyId)) return 'unknown';
    if (this.#isOver(session, presignedAt)) return 'expired';
    return { caller: this.#callerOf(session), secret: this.#tokens.secretOf(accessKeyId) };
  }

  #isOver({ accessKeyId, expires, assumed }: Session, presignedAt: number | undefined): boolean {
    const now = this.#clock.now();
    if (assumed !== undefined) return expires <= now;
    if (presignedAt === undefined) return !this.#live.has(accessKeyId);
    return (presignedAt <= expires ? expires : presignedAt + sessionLength) <= now;
  }

  #callerOf({ accessKeyId, roleArn, functionName, assumed }: Session): RoleCaller {
    return {
      kind: 'role',
      roleArn,
      arn: this.#iam.sessionArn(roleArn, assumed?.name ?? functionName ?? ''),
      accessKeyId,
      ...(functionName === undefined ? {} : { functionName }),
      ...(assumed === undefined ? {} : { tags: assumed.tags }),
      ...(assumed?.instanceKey === undefined ? {} : { instanceKey: assumed.instanceKey }),
    };
  }

  #keysOf(session: Session): SessionKeys {
    return {
      accessKeyId: session.accessKeyId,
      secretAccessKey: this.#tokens.secretOf(session.accessKeyId),
      sessionToken: this.#tokens.seal(session),
      expiration: new Date(session.expires),
    };
  }
}

/** The instance of a function on whose behalf a role is assumed, also over a chain of roles. */
function instanceOf(caller: Caller): { functionName?: string; instanceKey?: string } {
  if (caller.kind !== 'role' || caller.functionName === undefined) return {};
  return { functionName: caller.functionName, instanceKey: caller.instanceKey ?? caller.accessKeyId };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const base32 = (bytes: Buffer) => Array.from(bytes, (byte) => alphabet[byte % 32]).join('');
const newKeyId = () => `ASIA${base32(randomBytes(16))}`;
