import type { NodeFunction } from './node-function.ts';

/** Lines of the ledger are put and never touched again: whatever else a function may do to the table, not this. */
export const ledgerLines = { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['O#*#A#*'] } };
export const ledgerChanges = ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'];

/** Keeps a function from changing or removing what stands in the ledger. */
export const keepsLedger = (fn: Pick<NodeFunction<never>, 'deny'>, tableArn: string): void =>
  fn.deny(ledgerChanges, [tableArn], ledgerLines);
