import ipaddr from 'ipaddr.js';
import { matches, matchesArn, type Context } from './wildcard.ts';

/** Whether one value of the call satisfies one value of the policy. */
export type Compare = (given: string, wanted: string, context: Context) => boolean;

export interface Operator {
  compare: Compare;
  /** StringNotEquals and its kind: holds when no value of the policy compares. */
  negated: boolean;
  quantifier: 'ForAllValues' | 'ForAnyValue' | undefined;
  /** Holds when the call does not have the key. */
  ifExists: boolean;
}

const number = (relation: (a: number, b: number) => boolean): Compare => {
  return (given, wanted) => given !== '' && relation(Number(given), Number(wanted));
};
// Dates stand as ISO 8601 or as seconds since the epoch.
const time = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));
const date = (relation: (a: number, b: number) => boolean): Compare => {
  return (given, wanted) => relation(time(given), time(wanted));
};

const stringEquals: Compare = (given, wanted, context) => matches(wanted, given, context, { exact: true });
const stringLike: Compare = (given, wanted, context) => matches(wanted, given, context);
const ignoringCase: Compare = (given, wanted, context) =>
  matches(wanted, given, context, { exact: true, ignoreCase: true });
const arn: Compare = (given, wanted, context) => matchesArn(wanted, given, context);
const bool: Compare = (given, wanted) => given.toLowerCase() === wanted.toLowerCase();

const positive: Record<string, Compare> = {
  StringEquals: stringEquals,
  StringEqualsIgnoreCase: ignoringCase,
  StringLike: stringLike,
  ArnEquals: arn,
  ArnLike: arn,
  Bool: bool,
  NumericEquals: number((a, b) => a === b),
  NumericLessThan: number((a, b) => a < b),
  NumericLessThanEquals: number((a, b) => a <= b),
  NumericGreaterThan: number((a, b) => a > b),
  NumericGreaterThanEquals: number((a, b) => a >= b),
  DateEquals: date((a, b) => a === b),
  DateLessThan: date((a, b) => a < b),
  DateLessThanEquals: date((a, b) => a <= b),
  DateGreaterThan: date((a, b) => a > b),
  DateGreaterThanEquals: date((a, b) => a >= b),
  IpAddress: inRange,
};
const negative: Record<string, Compare> = {
  StringNotEquals: stringEquals,
  StringNotEqualsIgnoreCase: ignoringCase,
  StringNotLike: stringLike,
  ArnNotEquals: arn,
  ArnNotLike: arn,
  NumericNotEquals: positive['NumericEquals']!,
  DateNotEquals: positive['DateEquals']!,
  NotIpAddress: inRange,
};

function inRange(given: string, wanted: string): boolean {
  if (!ipaddr.isValid(given)) return false;
  const address = ipaddr.process(given);
  const [range, bits] = ipaddr.parseCIDR(
    wanted.includes('/') ? wanted : `${wanted}/${wanted.includes(':') ? 128 : 32}`,
  );
  return address.kind() === range.kind() && address.match([range, bits]);
}

/** An operator by its name in a policy, or undefined when it is not known. `Null` stands apart. */
export function operatorNamed(name: string): Operator | undefined {
  const parts = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name);
  if (parts === null) return undefined;
  const [, quantifier, base = '', ifExists] = parts;
  const compare = own(positive, base) ?? own(negative, base);
  if (compare === undefined) return undefined;
  return {
    compare,
    negated: Object.hasOwn(negative, base),
    quantifier: quantifier as Operator['quantifier'],
    ifExists: ifExists !== undefined,
  };
}

const own = <T>(table: Record<string, T>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined;
