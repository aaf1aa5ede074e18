import type { NodeFunction } from './node-function.ts';

/** Lines of the ledger are put and never touched again: whatever else a function may do to the table, not this. */
export const ledgerLines = { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['O#*#A#*'] } };
export const ledgerChanges = ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'];

/** What proves the lines, seals and how far they are exported, is written by who seals and who exports alone. */
export const ledgerProof = { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['O#*#S', 'O#*#X'] } };
export const ledgerForgeries = [...ledgerChanges, 'dynamodb:PutItem'];

/** Keeps a function from changing or removing what stands in the ledger, and from sealing. */
export function keepsLedger(fn: Pick<NodeFunction<never>, 'deny'>, tableArn: string): void {
  fn.deny(ledgerChanges, [tableArn], ledgerLines);
  fn.deny(ledgerForgeries, [tableArn], ledgerProof);
}
