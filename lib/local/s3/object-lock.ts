import { AwsError } from '../aws-error.ts';
import type { Bucket } from './bucket.ts';
import { statesChecksum } from './checksums.ts';

export const retentionModes = ['GOVERNANCE', 'COMPLIANCE'] as const;
export interface Retention {
  mode: (typeof retentionModes)[number];
  /** Milliseconds since the epoch. */
  until: number;
}
/** What keeps a version from being deleted. */
export interface Lock {
  retention?: Retention;
  /** A legal hold: without end, until it is taken away. */
  hold?: boolean;
}

export const day = 24 * 60 * 60 * 1000;
const modeHeader = 'x-amz-object-lock-mode';
const untilHeader = 'x-amz-object-lock-retain-until-date';
const holdHeader = 'x-amz-object-lock-legal-hold';

const badArgument = (message: string) => new AwsError('InvalidArgument', message);

/** The lock that a put asks for in its headers; `undefined` where the bucket's default decides. */
export function requestedLock(
  headers: Record<string, string>,
  bucket: Bucket,
  now: number,
): Lock | undefined {
  const [mode, until, hold] = [headers[modeHeader], headers[untilHeader], headers[holdHeader]];
  if (mode === undefined && until === undefined && hold === undefined) return undefined;
  demandLockedBucket(bucket, 'Bucket is missing ObjectLockConfiguration');
  if ((mode === undefined) !== (until === undefined)) {
    throw badArgument(`${untilHeader} and ${modeHeader} must both be supplied`);
  }
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF') {
    throw badArgument("Legal Hold must be either of 'ON' or 'OFF'");
  }
  return {
    ...(mode !== undefined && { retention: checkedRetention(mode, until!, now) }),
    ...(hold !== undefined && { hold: hold === 'ON' }),
  };
}

/** A retention as a request states it. Throws InvalidArgument for another mode and a date that is none or has passed. */
export function checkedRetention(mode: string, date: string, now: number): Retention {
  const known = retentionModes.find((each) => each === mode);
  if (known === undefined) throw badArgument('Unknown wormMode directive.');
  const until = /^\d{4}-\d\d-\d\dT/.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(until)) throw badArgument('The retain until date must be provided in ISO 8601 format');
  if (until <= now) throw badArgument('The retain until date must be in the future!');
  return { mode: known, until };
}

/** Throws InvalidRequest (400) for a bucket without Object Lock. */
export function demandLockedBucket(bucket: Bucket, message: string): void {
  if (bucket.objectLock === undefined) throw new AwsError('InvalidRequest', message);
}

/** The lock a new version gets: what was asked for, and the bucket's default where no retention was. */
export function lockOfNew(asked: Lock | undefined, bucket: Bucket, now: number): Lock | undefined {
  const rule = bucket.objectLock?.defaultRetention;
  if (rule === undefined || asked?.retention !== undefined) return asked;
  return { ...asked, retention: { mode: rule.mode, until: now + rule.days * day } };
}

/** What will be locked must arrive with a checksum. Throws InvalidRequest (400); `what` as S3 calls the operation. */
export function demandChecksum(
  headers: Record<string, string>,
  bucket: Bucket,
  asked: Lock | undefined,
  what: 'Put Object' | 'Put Part',
): void {
  if (asked === undefined && bucket.objectLock?.defaultRetention === undefined) return;
  if (statesChecksum(headers)) return;
  const message = `Content-MD5 OR x-amz-checksum- HTTP header is required for ${what} requests with Object Lock parameters`;
  throw new AwsError('InvalidRequest', message);
}

/** Whether the lock still keeps its version. */
export const isProtected = (lock: Lock | undefined, now: number): boolean =>
  lock?.hold === true || (lock?.retention !== undefined && lock.retention.until > now);

export const lockRefusal = () =>
  new AwsError('AccessDenied', 'Access Denied because object protected by object lock.', { status: 403 });

export function retentionHeaders({ mode, until }: Retention): Record<string, string> {
  return { [modeHeader]: mode, [untilHeader]: new Date(until).toISOString() };
}

export const holdHeaders = (hold: boolean): Record<string, string> => ({ [holdHeader]: hold ? 'ON' : 'OFF' });

/** Condition keys of a call that sets, or sets aside, a retention. */
export function retentionContext(retention: Retention | undefined, now: number): Record<string, string> {
  if (retention === undefined) return {};
  return {
    's3:object-lock-mode': retention.mode,
    's3:object-lock-retain-until-date': new Date(retention.until).toISOString(),
    's3:object-lock-remaining-retention-days': String(Math.ceil((retention.until - now) / day)),
  };
}

/** Whether the caller says that a governance retention shall not count. InvalidArgument (400) without Object Lock. */
export function wantsBypass(headers: Record<string, string>, bucket: Bucket): boolean {
  const name = 'x-amz-bypass-governance-retention';
  const stated = headers[name];
  if (stated === undefined) return false;
  if (bucket.objectLock === undefined) {
    throw badArgument(`${name} is only applicable to Object Lock enabled buckets.`);
  }
  return stated.toLowerCase() === 'true';
}
