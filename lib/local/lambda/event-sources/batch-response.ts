/**
 * Which items of a batch the handler's answer names as failed; `'all'` for an answer that AWS takes for a failure
 * of the whole batch (Lambda developer guide, "Success and failure conditions"): an identifier that is missing, empty,
 * null or of no item, or an answer of another form.
 */
export function failedItems(payload: string, items: readonly string[]): Set<string> | 'all' {
  const answer: unknown = payload.trim() === '' ? null : JSON.parse(payload);
  if (answer === null) return new Set();
  if (typeof answer !== 'object' || Array.isArray(answer)) return 'all';
  const failures = (answer as Record<string, unknown>)['batchItemFailures'] ?? [];
  if (!Array.isArray(failures)) return 'all';
  const failed = new Set<string>();
  for (const failure of failures as unknown[]) {
    const id = (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof id !== 'string' || !items.includes(id)) return 'all';
    failed.add(id);
  }
  return failed;
}
