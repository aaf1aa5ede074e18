/**
 * The one table, as data: CDK builds it from here and nobody else names its attributes.
 * Both indexes hold keys only. A list is one query of keys and one batch get of rows, so that changing a
 * row never rewrites a copy of it in an index (each copy would cost a write unit per kilobyte).
 */
export const table = {
  partitionKey: 'pk',
  sortKey: 'sk',
  ttl: 'expires',
  /** What is of a pod: inboxes, keys, webhooks, archives. */
  byPod: { name: 'by-pod', partitionKey: 'pod_pk', sortKey: 'pod_sk' },
  /** What is of an organization: inboxes, newest first, webhooks, threads by last activity, in shards; and the outbox. */
  byOrganization: { name: 'by-organization', partitionKey: 'org_pk', sortKey: 'org_sk' },
  /** The attribute of a new image that tells events, work and lines of the ledger apart; the stream mappings filter on it. */
  rowType: 'row_type',
  eventRow: 'event',
  taskRow: 'task',
  lineRow: 'line',
} as const;
