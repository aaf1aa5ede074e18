/** A receipt rule as SES keeps it. */
export interface ReceiptRule {
  name: string;
  /** The rule in SES's own spelling, its name included. */
  definition: Readonly<Record<string, unknown>>;
}

/** Port: the receipt rule sets of one account and Region, of which SES uses one. */
export interface ReceiptRules {
  /** The set in use with its rules in order; `undefined` when nothing is received. */
  active(): Promise<{ name: string; rules: ReceiptRule[] } | undefined>;
  /** Makes SES use this set instead of any other; `undefined` turns receiving off. */
  activate(set: string | undefined): Promise<void>;
  /** Writes a rule of that name: as it stands when it is there, otherwise at the head of the set. */
  put(set: string, rule: ReceiptRule): Promise<void>;
  /** Returns as well when there is no such rule or set. */
  remove(set: string, name: string): Promise<void>;
}

/** Receiving is somebody else's, and stays as it is. The message says what a person can do. */
export class ReceivingRefused extends Error {
  override name = 'ReceivingRefused';
}

export interface Receiving {
  /** The deployment's own rule set. */
  set: string;
  /** The deployment's static rule; it is in `set` already. */
  rule: ReceiptRule;
}

/**
 * Makes SES use the rule, and returns the set it is used in. Never replaces a set of somebody else: that is refused,
 * or with `adopt` the rule joins that set. `former` is the own set before an update; rules that were added to it
 * since move along.
 */
export const activateReceiving =
  ({ rules }: { rules: ReceiptRules }) =>
  async ({ set, rule, policy, former }: Receiving & { policy: 'create' | 'adopt'; former?: string }) => {
    const active = await rules.active();
    if (active?.name === set) return set;
    if (active === undefined || active.name === former) {
      // New rules go to the head, so the last one goes first.
      const others = (active?.rules ?? []).filter(({ name }) => name !== rule.name);
      for (const other of others.reverse()) await rules.put(set, other);
      await rules.activate(set);
      return set;
    }
    if (policy === 'adopt') {
      await rules.put(active.name, rule);
      return active.name;
    }
    throw new ReceivingRefused(
      `The receipt rule set ${active.name} is active in this Region, and SES uses only one. Deploy with ` +
        '-c activateReceiving=adopt to add one rule to it, or turn it off (aws ses set-active-receipt-rule-set) if ' +
        'nobody needs it, or deploy to another Region or account.',
    );
  };

/**
 * Undoes `activateReceiving` and nothing else. `place` is what it returned, `undefined` when that is not known.
 * A set that also holds rules of others (any whose name does not begin with `prefix`) is not turned off.
 */
export const stopReceiving =
  ({ rules }: { rules: ReceiptRules }) =>
  async ({ set, rule, prefix, place }: Receiving & { prefix: string; place?: string }): Promise<void> => {
    if (place !== undefined && place !== set) return rules.remove(place, rule.name);
    const active = await rules.active();
    if (active?.name === set) {
      const others = active.rules.map(({ name }) => name).filter((name) => !name.startsWith(prefix));
      if (others.length === 0) return rules.activate(undefined);
      throw new ReceivingRefused(
        `The receipt rule set ${set} also holds rules that are not of this deployment: ${others.join(', ')}. Copy them ` +
          'to another set and make that one active, then delete this deployment again.',
      );
    }
    // Also after an adoption whose answer was lost.
    if (place === undefined && active?.rules.some(({ name }) => name === rule.name)) {
      await rules.remove(active.name, rule.name);
    }
  };
