import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../aws-error.ts';
import { transaction } from '../open-database.ts';
import { MOST_RULE_SETS, MOST_RULES, type ReceiptRule, type RuleSet } from './receipt-rule.ts';

export const ruleSchema = `
  CREATE TABLE IF NOT EXISTS rule_set (name TEXT PRIMARY KEY, active INTEGER NOT NULL DEFAULT 0, content TEXT NOT NULL);
`;

/** The receipt rule sets of the account, of which at most one is active. */
export class RuleStore {
  readonly #database: DatabaseSync;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  list(): RuleSet[] {
    const rows = this.#database.prepare('SELECT content FROM rule_set ORDER BY name').all();
    return rows.map((row) => JSON.parse(String(row['content'])) as RuleSet);
  }

  find(name: string): RuleSet | undefined {
    const row = this.#database.prepare('SELECT content FROM rule_set WHERE name = ?').get(name);
    return row === undefined ? undefined : (JSON.parse(String(row['content'])) as RuleSet);
  }

  get(name: string): RuleSet {
    const found = this.find(name);
    if (found !== undefined) return found;
    throw new AwsError('RuleSetDoesNotExist', `Rule set does not exist: ${name}`, { fields: { Name: name } });
  }

  active(): RuleSet | undefined {
    const row = this.#database.prepare('SELECT content FROM rule_set WHERE active = 1').get();
    return row === undefined ? undefined : (JSON.parse(String(row['content'])) as RuleSet);
  }

  /** Without a name all receiving is off. */
  activate(name: string | undefined): void {
    if (name !== undefined) this.get(name);
    this.#database.prepare('UPDATE rule_set SET active = (name = ?)').run(name ?? '');
  }

  create(name: string, rules: ReceiptRule[] = []): void {
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name))
      throw new AwsError('ValidationError', `Invalid rule set name: ${name}`);
    if (this.find(name) !== undefined) throw alreadyExists(name, `Rule set already exists: ${name}`);
    if (this.list().length >= MOST_RULE_SETS)
      throw new AwsError('LimitExceeded', 'Too many receipt rule sets.');
    this.#save({ Name: name, CreatedTimestamp: new Date(this.#now()).toISOString(), Rules: rules });
  }

  delete(name: string): void {
    if (this.active()?.Name === name) {
      throw new AwsError('CannotDelete', `Cannot delete active rule set: ${name}`, {
        fields: { Name: name },
      });
    }
    this.#database.prepare('DELETE FROM rule_set WHERE name = ?').run(name);
  }

  rule(setName: string, name: string): ReceiptRule {
    const found = this.get(setName).Rules.find((rule) => rule.Name === name);
    if (found === undefined) throw ruleDoesNotExist(name);
    return found;
  }

  /** Behind the rule `after`; without it in front of all. */
  addRule(setName: string, rule: ReceiptRule, after: string | undefined): void {
    transaction(this.#database, () => {
      const set = this.get(setName);
      if (set.Rules.some(({ Name }) => Name === rule.Name))
        throw alreadyExists(rule.Name, `Rule already exists: ${rule.Name}`);
      if (set.Rules.length >= MOST_RULES)
        throw new AwsError('LimitExceeded', 'Too many rules in the rule set.');
      const before = after === undefined ? -1 : set.Rules.findIndex(({ Name }) => Name === after);
      if (after !== undefined && before < 0) throw ruleDoesNotExist(after);
      this.#save({ ...set, Rules: set.Rules.toSpliced(before + 1, 0, rule) });
    });
  }

  updateRule(setName: string, rule: ReceiptRule): void {
    transaction(this.#database, () => {
      this.rule(setName, rule.Name);
      const set = this.get(setName);
      this.#save({ ...set, Rules: set.Rules.map((each) => (each.Name === rule.Name ? rule : each)) });
    });
  }

  deleteRule(setName: string, name: string): void {
    const set = this.get(setName);
    this.#save({ ...set, Rules: set.Rules.filter((rule) => rule.Name !== name) });
  }

  #save(set: RuleSet): void {
    const upsert =
      'INSERT INTO rule_set (name, content) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET content = excluded.content';
    this.#database.prepare(upsert).run(set.Name, JSON.stringify(set));
  }
}

const alreadyExists = (name: string, message: string) =>
  new AwsError('AlreadyExists', message, { fields: { Name: name } });
const ruleDoesNotExist = (name: string) =>
  new AwsError('RuleDoesNotExist', `Rule does not exist: ${name}`, { fields: { Name: name } });
