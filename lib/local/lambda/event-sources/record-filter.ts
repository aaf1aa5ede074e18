import { compilePattern } from '../../events/pattern.ts';
import type { Pattern } from '../../events/pattern.ts';

/** Operators a mapping's filter may use; EventBridge knows more (Lambda developer guide, "Filter rule syntax"). */
const operators = new Set(['exists', 'prefix', 'suffix', 'equals-ignore-case', 'anything-but', 'numeric']);

/** Reads a filter pattern. Throws for one that Lambda would not take. */
export function recordFilter(source: string): Pattern {
  const pattern = JSON.parse(source) as unknown;
  refuseForeign(pattern);
  return compilePattern(pattern);
}

function refuseForeign(pattern: unknown): void {
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern)) return;
  for (const [key, part] of Object.entries(pattern)) {
    if (key === '$or') (part as unknown[]).forEach(refuseForeign);
    else if (Array.isArray(part)) part.forEach(refuseOperator);
    else refuseForeign(part);
  }
}

function refuseOperator(rule: unknown): void {
  if (typeof rule !== 'object' || rule === null) return;
  const foreign = Object.keys(rule).find((name) => !operators.has(name));
  if (foreign !== undefined) throw new Error(`an event source mapping has no operator ${foreign}`);
}
