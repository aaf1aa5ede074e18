/**
 * The event patterns a mapping filters by (Lambda developer guide, "Filter rule syntax"): exact values, null, empty,
 * exists, prefix, suffix, equals-ignore-case, anything-but, numeric and $or. Anything else throws at start-up.
 */
export type Pattern = { [key: string]: Pattern | Rule[] | Pattern[] };
type Scalar = string | number | boolean | null;
type Rule = Scalar | Record<string, unknown>;

/** Reads a pattern and refuses one with an operator that is not known. */
export function parsePattern(source: string): Pattern {
  const pattern = JSON.parse(source) as Pattern;
  matches(pattern, {}, true);
  return pattern;
}

/** Whether an event has every field of the pattern with one of the values it allows. */
export function matches(pattern: Pattern, event: unknown, checkAll = false): boolean {
  const results = Object.entries(pattern).map(([key, wanted]) => {
    if (key === '$or')
      return (wanted as Pattern[]).map((one) => matches(one, event, checkAll)).includes(true);
    const value = isObject(event) ? event[key] : undefined;
    if (!Array.isArray(wanted)) return matches(wanted, value, checkAll);
    return wanted.map((rule) => fits(rule as Rule, value)).includes(true);
  });
  return results.every(Boolean);
}

function fits(rule: Rule, value: unknown): boolean {
  if (isObject(rule) && 'exists' in rule)
    return (rule['exists'] === true) === (value !== undefined && !isObject(value));
  const values = Array.isArray(value) ? value : [value];
  return values.map((one) => allows(rule, one)).includes(true);
}

function allows(rule: Rule, value: unknown): boolean {
  if (!isObject(rule)) return value === rule;
  const [operator = '', operand] = Object.entries(rule)[0] ?? [];
  const known = operators[operator];
  if (known === undefined || Object.keys(rule).length !== 1) {
    throw new Error(`the pattern ${JSON.stringify(rule)} is not known here`);
  }
  return known(operand, value);
}

const text = (test: (wanted: string, value: string) => boolean) => (operand: unknown, value: unknown) =>
  typeof value === 'string' && [operand].flat().some((wanted) => test(String(wanted), value));

const operators: Record<string, (operand: unknown, value: unknown) => boolean> = {
  prefix: text((wanted, value) => value.startsWith(wanted)),
  suffix: text((wanted, value) => value.endsWith(wanted)),
  'equals-ignore-case': text((wanted, value) => value.toLowerCase() === wanted.toLowerCase()),
  'anything-but': (operand, value) =>
    value !== undefined && ![operand].flat().some((rule) => allows(rule as Rule, value)),
  numeric: (operand, value) => typeof value === 'number' && inRange(operand as (string | number)[], value),
};

const comparisons: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function inRange(terms: (string | number)[], value: number): boolean {
  for (let place = 0; place < terms.length; place += 2) {
    const compare = comparisons[String(terms[place])];
    if (compare === undefined)
      throw new Error(`the numeric pattern ${JSON.stringify(terms)} is not known here`);
    if (!compare(value, Number(terms[place + 1]))) return false;
  }
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
