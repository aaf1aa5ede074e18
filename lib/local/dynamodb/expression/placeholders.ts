import { serialization, validation } from '../errors.ts';
import type { AttributeValue } from '../value/attribute-value.ts';
import { readValue } from '../value/attribute-value.ts';
import { AwsError } from '../../aws-error.ts';

const KEY = /^.[0-9A-Za-z_]+$/;

/** ExpressionAttributeNames and ExpressionAttributeValues of one request, and which of them were used. */
export class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values = new Map<string, AttributeValue>();
  readonly #unused = { names: new Set<string>(), values: new Set<string>() };

  constructor(names: Record<string, unknown> | undefined, values: Record<string, unknown> | undefined) {
    for (const [key, name] of entries(names, 'ExpressionAttributeNames', '#')) {
      if (typeof name !== 'string') throw serialization('An attribute name has to be a string');
      this.#names.set(key, name);
      this.#unused.names.add(key);
    }
    for (const [key, value] of entries(values, 'ExpressionAttributeValues', ':')) {
      this.#values.set(key, readNamed(key, value));
      this.#unused.values.add(key);
    }
  }

  name(placeholder: string): string | undefined {
    this.#unused.names.delete(placeholder);
    return this.#names.get(placeholder);
  }

  value(placeholder: string): AttributeValue | undefined {
    this.#unused.values.delete(placeholder);
    return this.#values.get(placeholder);
  }

  /** Call when every expression of the request is read: DynamoDB refuses what no expression uses. */
  checkAllUsed(): void {
    for (const [parameter, unused] of [
      ['ExpressionAttributeNames', this.#unused.names],
      ['ExpressionAttributeValues', this.#unused.values],
    ] as const) {
      if (unused.size === 0) continue;
      const keys = [...unused].join(', ');
      throw validation(`Value provided in ${parameter} unused in expressions: keys: {${keys}}`);
    }
  }
}

function entries(
  map: Record<string, unknown> | undefined,
  parameter: string,
  sigil: string,
): [string, unknown][] {
  if (map === undefined) return [];
  const found = Object.entries(map);
  if (found.length === 0) throw validation(`${parameter} must not be empty`);
  for (const [key] of found) {
    if (key.startsWith(sigil) && KEY.test(key)) continue;
    throw validation(`${parameter} contains invalid key: Syntax error; key: "${key}"`);
  }
  return found;
}

function readNamed(key: string, raw: unknown): AttributeValue {
  try {
    return readValue(raw);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ValidationException') throw error;
    throw validation(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`);
  }
}
