import type { Deed } from '../contract/call.ts';
import type { Line, PersonalField } from '../contract/ledger.ts';
import { Problem } from '../contract/problem.ts';
import { newLine, refuseLine } from './ledger-line.ts';
import type { Visit } from './visit.ts';

/** Port: what a call leaves behind in the table. */
export interface Deeds {
  /** Writes what no change has written. Throws a `Problem` when the signature was used before. */
  settle(deed: Deed): Promise<void>;
  /** Commits to personal facts, so that the ledger can hold them and forget them. */
  commit(
    organizationId: string,
    facts: Partial<Record<PersonalField, string>>,
  ): Promise<NonNullable<Line['commitments']>>;
}

export interface Ulids {
  /** A new ULID in lower case, of the given time. */
  ulid(time: number): string;
}

/** What the call will leave behind, as far as it is known before it is carried out. */
export async function openDeed(visit: Visit, { deeds, ulid }: { deeds: Deeds } & Ulids): Promise<void> {
  const { caller, matched, request, started } = visit;
  const { route } = matched!;
  const once = route.ledger === 'change' ? caller!.once : undefined;
  visit.deed = { written: false, ...(once && { once }) };
  if (route.ledger === 'none') return;
  const line = newLine(caller!, matched!, {
    line_id: `lin_${ulid(started)}`,
    time: new Date(started).toISOString(),
    request_id: request.id,
  });
  if (caller!.personal !== undefined) {
    const commitments = await deeds.commit(line.organization_id, caller!.personal);
    if (Object.keys(commitments).length > 0) line.commitments = commitments;
  }
  visit.deed.line = line;
}

/** Writes what is unwritten when the call is through, and nothing a second time. */
export async function settleDeed({ deed }: Visit, deeds: Deeds): Promise<void> {
  if (deed === undefined || deed.written) return;
  if (deed.once === undefined && deed.line === undefined && deed.reservation === undefined) return;
  await deeds.settle(deed);
  deed.written = true;
}

/** The same for a call that was refused or failed: its line says so, unless the change was made all the same. */
export async function settleRefused(visit: Visit, error: unknown, deeds: Deeds): Promise<void> {
  const { deed, caller } = visit;
  if (deed === undefined || deed.written) return;
  const problem = error instanceof Problem ? error : undefined;
  if (problem?.code === 'nonce_used') return;
  if (deed.line !== undefined) refuseLine(deed.line, problem, caller!.principal.kind);
  // Its hold is let go elsewhere: nothing was carried out under it.
  delete deed.reservation;
  await settleDeed(visit, deeds);
}
