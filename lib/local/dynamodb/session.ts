import type { Caller, Cloud } from '../cloud.ts';
import { notFound, validation } from './errors.ts';
import type { Meter } from './meter.ts';
import type { Catalog } from './store/catalog.ts';
import type { KeyAttribute } from './store/key-schema.ts';
import type { RequestTokens } from './store/request-tokens.ts';
import type { TableStore } from './store/table-store.ts';
import type { Index, Table } from './store/table.ts';
import type { Item } from './value/attribute-value.ts';
import { attribute, inside } from './value/attribute-value.ts';

/** What every call works on. */
export interface Engine {
  readonly cloud: Cloud;
  readonly store: TableStore;
  readonly catalog: Catalog;
  readonly tokens: RequestTokens;
}

/** One call: who makes it and what it costs. */
export interface Session {
  readonly engine: Engine;
  readonly caller: Caller;
  readonly meter: Meter;
}

/** An API call: takes the request's JSON and answers the response's. Throws AwsError. */
export type ApiCall = (session: Session, input: unknown) => object;

export type ConditionKeys = Record<string, string | string[] | undefined>;

const TABLE_NAME = /^[a-zA-Z0-9_.-]{3,255}$/;

/**
 * The table of a request, once IAM allows the action on it. A caller without the grant learns nothing about
 * which tables exist. `keys` gives condition keys such as `dynamodb:LeadingKeys`, which need the table's
 * schema.
 */
export function allowedTable(
  session: Session,
  action: string,
  name: string,
  keys: (table: Table) => ConditionKeys = () => ({}),
  indexName?: string,
): Table {
  const { account, region } = session.engine.cloud;
  const prefix = `arn:aws:dynamodb:${region}:${account}:table/`;
  const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  if (!TABLE_NAME.test(short)) {
    throw validation('Invalid table/index name. Table/index names must be between 3 and 255 characters long');
  }
  const table = session.engine.catalog.get(short);
  const resource = prefix + short + (indexName === undefined ? '' : `/index/${indexName}`);
  authorize(session, action, resource, table === undefined ? {} : keys(table));
  if (table === undefined) throw notFound('Requested resource not found');
  return table;
}

/** Asks IAM; throws AccessDenied. */
export function authorize(
  session: Session,
  action: string,
  resource: string,
  keys: ConditionKeys = {},
): void {
  const context: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(keys))
    if (value !== undefined) context[`dynamodb:${key}`] = value;
  session.engine.cloud.authorize({ caller: session.caller, action: `dynamodb:${action}`, resource, context });
}

/** The partition keys of items, as policies compare them; those without the attribute are left out. */
export function leadingKeys(hash: KeyAttribute, items: readonly Item[]): string[] {
  const values = items.flatMap((item) => attribute(item, hash.name) ?? []);
  return [...new Set(values.map((value) => String(inside(value))))];
}

/** The index of a request. */
export function indexOf(table: Table, name: string | undefined): Index | undefined {
  if (name === undefined) return undefined;
  const index = table.indexes.find((candidate) => candidate.name === name);
  if (index === undefined) throw validation(`The table does not have the specified index: ${name}`);
  return index;
}
