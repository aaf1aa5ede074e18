import { invalidParameter, serialization, validation } from '../errors.ts';
import { normalizeNumber } from './decimal.ts';

/** A value as DynamoDB's JSON writes it: exactly one member, named for its type. `B` is base64. */
export type AttributeValue =
  | { S: string }
  | { N: string }
  | { B: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { SS: string[] }
  | { NS: string[] }
  | { BS: string[] }
  | { L: AttributeValue[] }
  | { M: Item };
export type Item = { [name: string]: AttributeValue };
export type TypeName = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

/** DynamoDB's limit for lists and maps inside each other. */
const MAX_DEPTH = 32;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SET_NAME = { SS: 'string', NS: 'number' } as const;

export function typeOf(value: AttributeValue): TypeName {
  for (const type in value) return type as TypeName;
  throw new Error('a value without a type');
}

/** What stands under the value's type, for code that has looked at `typeOf`. */
export function inside(value: AttributeValue): unknown {
  return (value as Record<string, unknown>)[typeOf(value)];
}

/** An attribute by name, or undefined. Names such as `constructor` are attributes like any other. */
export function attribute(item: Item, name: string): AttributeValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

/** Sets an attribute, also one named `__proto__`. */
export function setAttribute(item: Item, name: string, value: AttributeValue): void {
  if (name !== '__proto__') item[name] = value;
  else Object.defineProperty(item, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Checks an item as a client sent it and brings its numbers and bytes into their one spelling. */
export function readItem(raw: unknown, depth = 0): Item {
  if (!isObject(raw)) throw serialization('Start of structure or map found where not expected');
  const item: Item = {};
  for (const [name, value] of Object.entries(raw)) {
    if (Buffer.byteLength(name) > 65_535) throw invalidParameter('Attribute name is too large');
    setAttribute(item, name, readValue(value, depth));
  }
  return item;
}

/** Checks one value as a client sent it. Throws ValidationException in DynamoDB's words. */
export function readValue(raw: unknown, depth = 0): AttributeValue {
  if (!isObject(raw)) throw serialization('Unexpected value type in payload');
  const present = Object.entries(raw).filter(([type, value]) => value !== null && type in readers);
  const [first] = present;
  if (first === undefined) {
    throw validation('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
  }
  if (present.length > 1) {
    throw validation(
      'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
    );
  }
  if (depth > MAX_DEPTH) throw validation('Nesting Levels have exceeded supported limits');
  return readers[first[0] as TypeName](first[1], depth);
}

const readers: Record<TypeName, (raw: unknown, depth: number) => AttributeValue> = {
  S: (raw) => ({ S: text(raw) }),
  N: (raw) => ({ N: normalizeNumber(text(raw)) }),
  B: (raw) => ({ B: bytes(raw) }),
  BOOL: (raw) => {
    if (typeof raw !== 'boolean') throw serialization('Unexpected token received from parser');
    return { BOOL: raw };
  },
  NULL: (raw) => {
    if (raw !== true) throw invalidParameter('Null attribute value types must have the value of true');
    return { NULL: true };
  },
  SS: (raw) => ({ SS: distinct('SS', list(raw).map(text)) }),
  NS: (raw) => ({
    NS: distinct(
      'NS',
      list(raw).map((member) => normalizeNumber(text(member))),
    ),
  }),
  BS: (raw) => ({ BS: distinct('BS', list(raw).map(bytes)) }),
  L: (raw, depth) => ({ L: list(raw).map((member) => readValue(member, depth + 1)) }),
  M: (raw, depth) => ({ M: readItem(raw, depth + 1) }),
};

function distinct(type: 'SS' | 'NS' | 'BS', members: string[]): string[] {
  if (members.length === 0) {
    const why =
      type === 'BS' ? 'Binary sets should not be empty' : `An ${SET_NAME[type]} set  may not be empty`;
    throw invalidParameter(why);
  }
  if (new Set(members).size === members.length) return members;
  if (type === 'NS') throw validation('Input collection contains duplicates');
  throw invalidParameter(
    `Input collection [${members.join(', ')}]${type === 'BS' ? 'of type BS' : ''} contains duplicates.`,
  );
}

function text(raw: unknown): string {
  if (typeof raw !== 'string')
    throw serialization('A value that is not a string cannot be converted to String');
  return raw;
}

function bytes(raw: unknown): string {
  const written = text(raw);
  if (!BASE64.test(written)) throw serialization('Invalid last non-pad Base64 character detected');
  return Buffer.from(written, 'base64').toString('base64');
}

function list(raw: unknown): unknown[] {
  if (!Array.isArray(raw)) throw serialization('Start of structure or map found where not expected');
  return raw;
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** A copy that shares nothing with the value. */
export function copyValue(value: AttributeValue): AttributeValue {
  if ('L' in value) return { L: value.L.map(copyValue) };
  if ('M' in value) return { M: copyItem(value.M) };
  const type = typeOf(value);
  const content = inside(value);
  return { [type]: Array.isArray(content) ? [...content] : content } as AttributeValue;
}

/** A copy that shares nothing with the item. */
export function copyItem(item: Item): Item {
  const copy: Item = {};
  for (const [name, value] of Object.entries(item)) setAttribute(copy, name, copyValue(value));
  return copy;
}
