/** Tag of every dead-letter queue; its value is `<stack>/<function>`. */
export const deadLettersTag = 'posthorn:dead-letters';

/** What the names of all our stacks, and so of their queues, begin with. */
export const stackPrefix = 'posthorn-';

/**
 * How what a function failed at comes back. `move`: its messages go back to the queue they came from. `rows`: they only
 * say where rows stood in the table's stream, and those rows are told of again by themselves. `never`: not at all.
 */
export type WayBack = 'move' | 'rows' | 'never';

/** By function: the way back from its dead-letter queue. */
export const waysBack = {
  'receive-mail': 'move',
  'fan-out-webhooks': 'move',
  'deliver-webhook': 'move',
  'remove-inbox': 'move',
  // Events stand in the outbox, and over each row of work there is a watch: `run-due` tells the stream of them again.
  'publish-event': 'rows',
  // Lines come here when the stream has forgotten them. A seal from then on would not say that nobody changed them before.
  'seal-ledger': 'never',
} as const satisfies Record<string, WayBack>;

/** A function that leaves dead letters. */
export type DeadLettersOf = keyof typeof waysBack;
