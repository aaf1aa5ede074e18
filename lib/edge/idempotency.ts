import { createHash, randomUUID } from 'node:crypto';
import type { Reservation } from '../contract/call.ts';
import type { Scope } from '../contract/principal.ts';
import { Problem, invalidField } from '../contract/problem.ts';
import type { Visit } from './visit.ts';

/** What a repeat is answered with. */
export interface KeptAnswer {
  statusCode: number;
  body: string;
}

/** Why a call under an Idempotency-Key is not carried out. */
export type Unreserved = 'in_flight' | 'other_request' | 'answer_lost';

/** Port: who holds an Idempotency-Key, and what came of it. */
export interface Reservations {
  /**
   * Of many at once one is `reserved`. `other_request`: the key belongs to a call with another fingerprint;
   * `answer_lost`: it was carried out, and nobody knows the answer any more.
   */
  reserve(
    reservation: Reservation,
    fingerprint: string,
  ): Promise<'reserved' | Unreserved | { answer: KeptAnswer }>;
  /** Keeps the answer for 24 hours, unless another attempt has taken over. */
  keep(reservation: Reservation, answer: KeptAnswer): Promise<void>;
  /** Gives the key back after a call that changed nothing. */
  release(reservation: Reservation): Promise<void>;
}

const header = 'idempotency-key';
const wellFormed = /^[A-Za-z0-9\-._~]{1,256}$/;

/**
 * The call's hold on its key; `undefined` where it names none. Repeated headers arrive joined by a comma and are
 * refused like any other character a key may not have.
 */
export function reservationOf(
  headers: Readonly<Record<string, string>>,
  organization_id: string,
  randomOwner: () => string,
): Reservation | undefined {
  const given = headers[header];
  if (given === undefined) return undefined;
  if (!wellFormed.test(given))
    throw invalidField(
      [header],
      'give 1 to 256 characters out of A-Z a-z 0-9 - . _ ~',
      'Send one Idempotency-Key, such as a UUID.',
    );
  return {
    organization_id,
    key: createHash('sha256').update(given).digest('base64url'),
    owner: randomOwner(),
  };
}

/** What makes two calls the same call. */
export interface Fingerprinted {
  method: string;
  /** Decoded. */
  path: string;
  /** As it was sent. */
  query: string;
  body: Uint8Array;
  /**
   * Where the call acts. Two keys of one organization may share a call, but a path that names no scope means the
   * caller's own: without it a key of one pod would be shown what was made in another.
   */
  scope: Scope;
}

/** SHA-256, base64url. Each part comes behind its length, so that none can end in the beginning of the next. */
export function fingerprintOf({ method, path, query, body, scope }: Fingerprinted): string {
  const hash = createHash('sha256');
  const place = [scope.organization_id, scope.pod_id ?? '', scope.inbox?.uid ?? ''];
  for (const part of [method, path, query, body, ...place]) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('base64url');
}

/** Members shown once, in the first answer alone. */
const shownOnce: ReadonlySet<string> = new Set(['private_jwk', 'api_key', 'token', 'secret']);

/** A JSON answer without what is shown once, so that no secret is kept and none is shown again. */
export function withoutSecrets(body: string): string {
  if (![...shownOnce].some((name) => body.includes(`"${name}"`))) return body;
  return JSON.stringify(withoutShownOnce(JSON.parse(body)));
}

function withoutShownOnce(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutShownOnce);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !shownOnce.has(name))
      // What users keep in `metadata` is theirs, whatever it is called.
      .map(([name, member]) => [name, name === 'metadata' ? member : withoutShownOnce(member)]),
  );
}

/** The refusal of a call that was not carried out because of its Idempotency-Key. */
export function unreserved(why: Unreserved): Problem {
  if (why === 'in_flight')
    return new Problem('conflict', 'the first call with this Idempotency-Key is still under way', {
      fix: 'Repeat the call with the same key, to hear what came of the first.',
      retry_after: 1,
    });
  if (why === 'other_request')
    return new Problem('conflict', 'this Idempotency-Key belongs to another call', {
      fix: 'Use a new key for each new call; a repeat has the same method, path, query, body and scope.',
    });
  return new Problem('conflict', 'this call was carried out before, and its answer is lost', {
    fix: 'Do not repeat it: look at what is there, by listing the resource. Use a new key for a new call.',
  });
}

/**
 * The answer of an earlier call with the same Idempotency-Key; `undefined` where there is none, and the visit's deed
 * then has the hold on the key, if it names one. Throws a `Problem` when the key is malformed or not to be had.
 */
export async function reserve(
  { request, scope, deed }: Visit,
  reservations: Reservations,
): Promise<KeptAnswer | undefined> {
  if (scope === undefined || deed === undefined) return undefined;
  const reservation = reservationOf(request.headers, scope.organization_id, randomUUID);
  if (reservation === undefined) return undefined;
  const { method, path, query, body } = request;
  const outcome = await reservations.reserve(
    reservation,
    fingerprintOf({ method, path, query, body, scope }),
  );
  if (typeof outcome === 'object') return outcome.answer;
  if (outcome !== 'reserved') throw unreserved(outcome);
  deed.reservation = reservation;
  return undefined;
}

/** Keeps what a repeat is to be answered with. The change is made by now: that it cannot be kept refuses nothing. */
export async function keepAnswer(
  reservation: Reservation,
  { statusCode, body = '' }: { statusCode: number; body?: string | undefined },
  reservations: Reservations,
): Promise<void> {
  await reservations.keep(reservation, { statusCode, body: withoutSecrets(body) }).catch(() => undefined);
}

/** Lets a call that was refused be made again at once; where that fails, the hold ends by itself. */
export async function letGo(reservation: Reservation, reservations: Reservations | undefined): Promise<void> {
  await reservations?.release(reservation).catch(() => undefined);
}
