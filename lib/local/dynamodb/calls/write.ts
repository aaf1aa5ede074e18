import { conditionFailed, invalidParameter, validation } from '../errors.ts';
import { holds } from '../expression/condition.ts';
import { applyUpdate } from '../expression/update.ts';
import type { UpdateAction } from '../expression/update-syntax.ts';
import { resultType } from '../expression/update-syntax.ts';
import { MAX_ITEM_BYTES } from '../limits.ts';
import { writeUnits } from '../meter.ts';
import type { Session } from '../session.ts';
import { allowedTable, leadingKeys } from '../session.ts';
import { checkItemKey, checkKey, keyNames, keyOf } from '../store/key-schema.ts';
import type { Row } from '../store/rows.ts';
import { checkIndexKeys, indexKeyMismatch } from '../store/index-keys.ts';
import type { Table } from '../store/table.ts';
import type { Item } from '../value/attribute-value.ts';
import { readItem } from '../value/attribute-value.ts';
import { itemSize } from '../value/size.ts';
import type { ExpressionInput, Expressions } from './expressions.ts';
import { checkKeyPaths, namedAttributes, readExpressions } from './expressions.ts';

/** A write that IAM allows and that is well-formed; what it does depends on the item that is there. */
export interface Write {
  table: Table;
  key: Item;
  expressions: Expressions;
  /** A condition alone changes nothing. */
  kind: 'Put' | 'Update' | 'Delete' | 'ConditionCheck';
  returnOnFailure: boolean;
  next(old: Item | undefined): Item | undefined;
}

type WriteInput = ExpressionInput & {
  TableName: string;
  ReturnValues?: string | undefined;
  ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE' | undefined;
};

/**
 * `enclosing`: the transaction call around the write; it is authorized by the write's own action all the
 * same.
 */
export function preparePut(
  session: Session,
  input: WriteInput & { Item: unknown },
  enclosing?: string,
): Write {
  const item = readItem(input.Item);
  const expressions = readExpressions(input, ['ConditionExpression']);
  const table = allow(session, 'PutItem', input, item, expressions, enclosing);
  checkItemKey(table.keys, item);
  checkIndexKeys(table, item);
  checkKeyPaths(table, expressions);
  if (itemSize(item) > MAX_ITEM_BYTES) throw validation('Item size has exceeded the maximum allowed size');
  return {
    ...basics(input, table, expressions),
    kind: 'Put',
    key: keyOf(table.keys, item),
    next: () => item,
  };
}

export function prepareUpdate(
  session: Session,
  input: WriteInput & { Key: unknown },
  enclosing?: string,
): Write {
  const key = readItem(input.Key);
  const expressions = readExpressions(input, ['UpdateExpression', 'ConditionExpression']);
  const table = allow(session, 'UpdateItem', input, key, expressions, enclosing);
  checkKey(table.keys, key);
  checkUpdatable(table, expressions);
  checkKeyPaths(table, expressions);
  const next = (old: Item | undefined) => updated(table, key, expressions, old);
  return { ...basics(input, table, expressions), kind: 'Update', key, next };
}

export function prepareDelete(
  session: Session,
  input: WriteInput & { Key: unknown },
  enclosing?: string,
): Write {
  const key = readItem(input.Key);
  const expressions = readExpressions(input, ['ConditionExpression']);
  const table = allow(session, 'DeleteItem', input, key, expressions, enclosing);
  checkKey(table.keys, key);
  checkKeyPaths(table, expressions);
  return { ...basics(input, table, expressions), kind: 'Delete', key, next: () => undefined };
}

export function prepareCheck(
  session: Session,
  input: WriteInput & { Key: unknown },
  enclosing: string,
): Write {
  const key = readItem(input.Key);
  const expressions = readExpressions(input, ['ConditionExpression']);
  const table = allow(session, 'ConditionCheckItem', input, key, expressions, enclosing);
  checkKey(table.keys, key);
  checkKeyPaths(table, expressions);
  return { ...basics(input, table, expressions), kind: 'ConditionCheck', key, next: (old) => old };
}

function basics(input: WriteInput, table: Table, expressions: Expressions) {
  return { table, expressions, returnOnFailure: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' };
}

function allow(
  session: Session,
  action: string,
  input: WriteInput,
  item: Item,
  expressions: Expressions,
  enclosing: string | undefined,
): Table {
  return allowedTable(session, action, input.TableName, (table) => ({
    LeadingKeys: leadingKeys(table.keys.hash, [item]),
    Attributes: namedAttributes(expressions, Object.keys(item)),
    ReturnValues: input.ReturnValues,
    EnclosingOperation: enclosing,
  }));
}

function checkUpdatable(table: Table, { update }: Expressions): void {
  for (const name of keyNames(table.keys)) {
    if (!update?.some(({ path }) => path[0] === name)) continue;
    throw invalidParameter(`Cannot update attribute ${name}. This attribute is part of the key`);
  }
  for (const action of update ?? []) checkIndexedType(table, action);
}

/** Refuses an update whose expression alone shows that a key of an index gets another type. */
function checkIndexedType(table: Table, action: UpdateAction): void {
  const actual = action.path.length === 1 ? resultType(action) : undefined;
  if (actual === undefined) return;
  for (const index of table.indexes) {
    for (const part of [index.keys.hash, index.keys.range]) {
      if (part === undefined || part.name !== action.path[0] || part.type === actual) continue;
      throw indexKeyMismatch(index, part, actual);
    }
  }
}

function updated(
  table: Table,
  key: Item,
  { update = [] }: Expressions,
  old: Item | undefined,
): Item | undefined {
  const item = applyUpdate(old ?? key, update);
  // An update that only takes away creates nothing; one without any action does.
  const onlyTakes = update.length > 0 && update.every(({ kind }) => kind === 'REMOVE' || kind === 'DELETE');
  if (old === undefined && onlyTakes) return undefined;
  checkIndexKeys(table, item, 'update');
  if (itemSize(item) > MAX_ITEM_BYTES) {
    throw validation('Item size to update has exceeded the maximum allowed size');
  }
  return item;
}

export interface Outcome {
  old: Row | undefined;
  item: Item | undefined;
}

/** What the write would do to the item that is there. Throws ConditionalCheckFailedException. */
export function decide({ engine, meter }: Session, write: Write): Outcome {
  const old = engine.store.get(write.table, write.key);
  const { condition } = write.expressions;
  if (condition !== undefined && !holds(condition, old?.item ?? {})) {
    meter.write(write.table, writeUnits(old?.size ?? 0));
    throw conditionFailed(write.returnOnFailure ? old?.item : undefined);
  }
  return { old, item: write.next(old?.item) };
}

/** Does a single write in its own transaction. */
export function perform(session: Session, write: Write): Outcome {
  const { store } = session.engine;
  return store.transaction(() => {
    const outcome = decide(session, write);
    store.replace(write.table, outcome.old, outcome.item, session.meter);
    return outcome;
  });
}
