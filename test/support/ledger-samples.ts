import { createHash } from 'node:crypto';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import { rootOf, sealHash } from '../../lib/contract/ledger-proof.ts';
import { organizationId, ulidAt } from './mail-samples.ts';

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
/** The middle of the day all sample lines are of. */
export const noon = Date.parse('2026-03-05T12:00:00.000Z');

/** Line n, a second after line n - 1. */
export const sampleLine = (n: number, more: Partial<Line> = {}): Line => ({
  line_id: `lin_${ulidAt(n)}`,
  time: new Date(noon + n * 1000).toISOString(),
  organization_id: organizationId,
  principal: { kind: 'key', api_key_id: 'key_1' },
  action: 'inboxes.messages.get',
  resources: [`msg_${ulidAt(n)}`],
  outcome: 'allowed',
  request_id: `req-${n}`,
  ...more,
});

/** A chain of seals over these groups of lines. */
export function sealAll(groups: Line[][], organization_id = organizationId): Seal[] {
  const seals: Seal[] = [];
  for (const lines of groups) {
    const seal = {
      organization_id,
      number: seals.length + 1,
      sealed_at: new Date(noon + seals.length * 60_000).toISOString(),
      line_ids: lines.map(({ line_id }) => line_id),
      root: rootOf(lines, sha256),
      previous: seals.at(-1)?.hash ?? '',
    };
    seals.push({ ...seal, hash: sealHash(seal, sha256) });
  }
  return seals;
}
