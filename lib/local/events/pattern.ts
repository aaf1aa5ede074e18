import { invalid, leafTest } from './pattern-leaf.ts';
import type { LeafTest } from './pattern-leaf.ts';

/** A checked event pattern. */
export type Pattern = (event: Record<string, unknown>) => boolean;
type Test = (value: unknown) => boolean;

/** Throws an Error (InvalidEventPatternException) that names the path of what EventBridge would not take. */
export function compilePattern(pattern: unknown): Pattern {
  if (JSON.stringify(pattern).length > 2048) throw invalid('', 'is longer than 2048 characters');
  return compileObject(pattern, '');
}

function compileObject(pattern: unknown, path: string): Test {
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern))
    throw invalid(path, 'is no object');
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw invalid(path, 'is empty');
  const tests = entries.map(([name, part]) =>
    compileMember(name, part, path === '' ? name : `${path}.${name}`),
  );
  return (value) => tests.every((test) => test(value));
}

/** A test of the object that has the member. */
function compileMember(name: string, part: unknown, path: string): Test {
  if (name === '$or') return compileOr(part, path);
  if (Array.isArray(part)) return leafMember(name, compileLeaf(part, path));
  const inner = compileObject(part, path);
  return (value) => {
    const member = memberOf(value, name);
    // Of a list of objects one and the same has to satisfy all of the pattern's members.
    if (Array.isArray(member)) return member.flat(Infinity).some((each) => isObject(each) && inner(each));
    // Absent, too: `exists: false` below it may hold.
    return inner(isObject(member) ? member : {});
  };
}

function compileOr(part: unknown, path: string): Test {
  if (!Array.isArray(part) || part.length < 2) throw invalid(path, 'needs two alternatives or more');
  const alternatives = part.map((each, index) => compileObject(each, `${path}[${index}]`));
  return (value) => alternatives.some((test) => test(value));
}

function compileLeaf(list: unknown[], path: string): LeafTest[] {
  if (list.length === 0) throw invalid(path, 'lists nothing');
  return list.map((each, index) => leafTest(each, `${path}[${index}]`));
}

function leafMember(name: string, tests: LeafTest[]): Test {
  return (value) => {
    const member = memberOf(value, name);
    const leaves = leavesOf(member);
    return tests.some((test) => (leaves.length === 0 ? test.absent : leaves.some(test.holds)));
  };
}

/** The plain values of a member; an object is none, and an absent member has none. */
function leavesOf(member: unknown): unknown[] {
  if (Array.isArray(member)) return member.flat(Infinity).filter((each) => !isObject(each));
  return member === undefined || isObject(member) ? [] : [member];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const memberOf = (value: unknown, name: string) =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
