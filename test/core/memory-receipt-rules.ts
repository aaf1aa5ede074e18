import type { ReceiptRule, ReceiptRules } from '../../lib/core/activate-receiving.ts';

/** Rule sets in memory, with SES's manners: new rules go to the head, only a set that exists can be active. */
export function memoryRules(sets: Record<string, ReceiptRule[]>, active?: string) {
  const state = { active, sets, writes: 0 };
  const rules: ReceiptRules = {
    active: async () =>
      state.active === undefined ? undefined : { name: state.active, rules: [...sets[state.active]!] },
    activate: async (set) => {
      if (set !== undefined && !(set in sets)) throw new Error('RuleSetDoesNotExist');
      state.writes++;
      state.active = set;
    },
    put: async (set, rule) => {
      state.writes++;
      const at = sets[set]!.findIndex(({ name }) => name === rule.name);
      if (at < 0) sets[set]!.unshift(rule);
      else sets[set]![at] = rule;
    },
    remove: async (set, name) => {
      state.writes++;
      if (set in sets) sets[set] = sets[set]!.filter((rule) => rule.name !== name);
    },
  };
  return { ...rules, state, names: (set: string) => sets[set]!.map(({ name }) => name) };
}
