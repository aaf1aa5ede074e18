import * as z from 'zod';
import { line, seal, type Line, type Seal } from './ledger.ts';
import { canonical } from './ledger-proof.ts';

/** A seal and the lines it covers, in its order; `undefined` where the line was not there any more. */
export interface SealedLines {
  seal: Seal;
  lines: (Line | undefined)[];
}

/** How long a seal may wait for its export, milliseconds: it is tried each hour. */
export const exportLag = 3 * 3600_000;

const entry = z.union([
  z.strictObject({ seal }),
  z.strictObject({ line }),
  z.strictObject({ missing: z.string() }),
]);

/** Everything exported of an organization lies below this. */
export const exportPrefix = (organizationId: string): string => `${organizationId}/`;

/** Where the seals from this one on lie. Twelve digits, so that a listing is in the order of the chain. */
export const exportKey = (organizationId: string, firstSeal: number): string =>
  `${exportPrefix(organizationId)}${String(firstSeal).padStart(12, '0')}.ndjson`;

/** A seal and its lines as they are exported: JSON objects, one a line, each in the form that is hashed (RFC 8785). */
export function exportText({ seal, lines }: SealedLines): string {
  const entries = [
    { seal },
    ...seal.line_ids.map((id, n) => (lines[n] === undefined ? { missing: id } : { line: lines[n] })),
  ];
  return entries.map((one) => `${canonical(one)}\n`).join('');
}

/** Reads what `exportText` wrote, of any number of seals. Throws an `Error` that names the first line it cannot read. */
export function readExport(text: string): SealedLines[] {
  const found: SealedLines[] = [];
  for (const [n, row] of text.split('\n').entries()) {
    if (row === '') continue;
    const read = entry.safeParse(parsed(row));
    const current = found.at(-1);
    if (read.success && 'seal' in read.data) found.push({ seal: read.data.seal, lines: [] });
    else if (read.success && current !== undefined)
      current.lines.push('line' in read.data ? read.data.line : undefined);
    else throw new Error(`row ${n + 1} is no seal and no line of a seal`);
  }
  return found;
}

function parsed(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return undefined;
  }
}
