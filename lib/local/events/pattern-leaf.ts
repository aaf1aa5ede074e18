import ipaddr from 'ipaddr.js';

/** The error EventBridge gives for a pattern; `path` names the place, empty for the whole. */
export function invalid(path: string, why: string): Error {
  const error = new Error(`Event pattern is not valid. Reason: ${path === '' ? 'it' : path} ${why}`);
  error.name = 'InvalidEventPatternException';
  return error;
}

/** What one entry of a pattern's list asks of a plain value, or of its absence. */
export interface LeafTest {
  holds(value: unknown): boolean;
  absent: boolean;
}

/** A literal, or an object with one operator. */
export function leafTest(part: unknown, path: string): LeafTest {
  if (typeof part !== 'object' || part === null) return present(literal(part));
  const [entry, ...more] = Object.entries(part);
  if (entry === undefined || more.length > 0 || Array.isArray(part))
    throw invalid(path, 'is not one operator');
  const [name, operand] = entry;
  if (name === 'exists') {
    if (typeof operand !== 'boolean') throw invalid(path, 'exists takes true or false');
    return { holds: () => operand, absent: !operand };
  }
  return present(operators[name]?.(operand, path) ?? unknownOperator(path, name));
}

type Holds = (value: unknown) => boolean;
type Operator = (operand: unknown, path: string) => Holds;

const present = (holds: Holds): LeafTest => ({ holds, absent: false });
const literal =
  (wanted: unknown): Holds =>
  (value) =>
    value === wanted;

const unknownOperator = (path: string, name: string): never => {
  throw invalid(path, `has the unknown operator ${name}`);
};

function onText(path: string, operand: unknown, test: (text: string, wanted: string) => boolean): Holds {
  if (typeof operand !== 'string') throw invalid(path, 'takes a string');
  return (value) => typeof value === 'string' && test(value, operand);
}

const sameLetters = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** prefix and suffix: a string, or `{"equals-ignore-case": string}`. */
const end =
  (cut: (text: string, length: number) => string): Operator =>
  (operand, path) => {
    if (typeof operand === 'object' && operand !== null) {
      const { 'equals-ignore-case': wanted, ...more } = operand as Record<string, unknown>;
      if (Object.keys(more).length > 0) throw invalid(path, 'takes a string or equals-ignore-case');
      return onText(path, wanted, (text, end) => sameLetters(cut(text, end.length), end));
    }
    return onText(path, operand, (text, wanted) => cut(text, wanted.length) === wanted);
  };
const prefix = end((text, length) => text.slice(0, length));
const suffix = end((text, length) => text.slice(Math.max(0, text.length - length)));
const ignoreCase: Operator = (operand, path) => onText(path, operand, sameLetters);

/** `*` stands for any characters, `\*` for itself. No regular expression, since patterns may be written to choke one. */
const wildcard: Operator = (operand, path) => {
  if (typeof operand !== 'string') throw invalid(path, 'wildcard takes a string');
  const pieces: string[] = [''];
  for (let index = 0; index < operand.length; index++) {
    const [character, next] = [operand[index]!, operand[index + 1]];
    if (character === '\\') {
      if (next !== '*' && next !== '\\') throw invalid(path, 'has an unfinished escape');
      pieces[pieces.length - 1] += next;
      index++;
    } else if (character !== '*') pieces[pieces.length - 1] += character;
    else if (next === '*') throw invalid(path, 'has two wildcards in a row');
    else pieces.push('');
  }
  return (value) => typeof value === 'string' && fits(value, pieces);
};

/** Greedy from the left is right: each middle piece at its first place leaves the most for the rest. */
function fits(text: string, pieces: string[]): boolean {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  if (pieces.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const limit = text.length - last.length;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, from);
    if (at < 0 || at + piece.length > limit) return false;
    from = at + piece.length;
  }
  return true;
}

const comparisons: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};

/** `[">", 0, "<=", 5]`: all of them. */
const numeric: Operator = (operand, path) => {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
    throw invalid(path, 'numeric takes one or two comparisons');
  }
  const tests: Holds[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const [compare, limit] = [comparisons[String(operand[index])], operand[index + 1] as unknown];
    if (compare === undefined || typeof limit !== 'number')
      throw invalid(path, 'numeric has no such comparison');
    tests.push((value) => typeof value === 'number' && compare(value, limit));
  }
  return (value) => tests.every((test) => test(value));
};

const cidr: Operator = (operand, path) => {
  if (typeof operand !== 'string' || !ipaddr.isValidCIDR(operand))
    throw invalid(path, 'cidr takes address/bits');
  const [network, bits] = ipaddr.parseCIDR(operand);
  return (value) => {
    if (typeof value !== 'string' || !ipaddr.isValid(value)) return false;
    const address = ipaddr.parse(value);
    return address.kind() === network.kind() && address.match(network, bits);
  };
};

/** A literal or list of them, or one of the text operators over a string or list. */
const anythingBut: Operator = (operand, path) => {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [entry, ...more] = Object.entries(operand);
    const operator = entry && anythingButOperators[entry[0]];
    if (operator === undefined || more.length > 0) throw invalid(path, 'anything-but has no such operator');
    const tests = [entry![1] as unknown].flat().map((each) => operator(each, path));
    if (tests.length === 0) throw invalid(path, 'lists nothing');
    return (value) => !tests.some((test) => test(value));
  }
  const excluded: unknown[] = Array.isArray(operand) ? operand : [operand];
  const plain = excluded.every((each) => typeof each === 'string' || typeof each === 'number');
  if (excluded.length === 0 || !plain) throw invalid(path, 'anything-but takes strings and numbers');
  return (value) => !excluded.some((each) => each === value);
};

const anythingButOperators: Record<string, Operator> = {
  prefix,
  suffix,
  wildcard,
  'equals-ignore-case': ignoreCase,
};

const operators: Record<string, Operator | undefined> = {
  prefix,
  suffix,
  wildcard,
  numeric,
  cidr,
  'equals-ignore-case': ignoreCase,
  'anything-but': anythingBut,
};
