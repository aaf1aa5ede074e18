import * as z from 'zod';
import { validation } from '../errors.ts';
import { project } from '../expression/projection.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_GET } from '../limits.ts';
import { readUnits } from '../meter.ts';
import { consumedMode, members, placeholders, readRequest } from '../request.ts';
import type { ApiCall, Session } from '../session.ts';
import { allowedTable, leadingKeys } from '../session.ts';
import { checkKey } from '../store/key-schema.ts';
import type { Table } from '../store/table.ts';
import type { Item } from '../value/attribute-value.ts';
import { readItem } from '../value/attribute-value.ts';
import { sameItem } from '../value/equality.ts';
import type { Expressions } from './expressions.ts';
import { checkKeyPaths, namedAttributes, readExpressions } from './expressions.ts';
import { processedCount } from './batch-write.ts';

const perTable = z.strictObject({
  Keys: z.array(members).min(1),
  ConsistentRead: z.boolean().optional(),
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: placeholders.ExpressionAttributeNames,
});
const batchGetRequest = z.strictObject({
  RequestItems: z.record(z.string(), perTable),
  ReturnConsumedCapacity: consumedMode,
});
type PerTable = z.infer<typeof perTable>;

interface Wanted {
  name: string;
  table: Table;
  request: PerTable;
  expressions: Expressions;
  key: Item;
}

export const batchGetItem: ApiCall = (session, input) => {
  const request = readRequest(batchGetRequest, input);
  const names = Object.entries(request.RequestItems);
  if (names.length === 0) throw validation('The batch get request list for a table cannot be null or empty');
  if (names.reduce((sum, [, { Keys }]) => sum + Keys.length, 0) > MAX_BATCH_GET) {
    throw validation('Too many items requested for the BatchGetItem call');
  }
  const wanted = names.flatMap(([name, one]) => wantedOf(session, name, one));
  const limit = processedCount(session, wanted.length);
  const Responses: Record<string, Item[]> = Object.fromEntries(names.map(([name]) => [name, []]));
  const UnprocessedKeys: Record<string, PerTable> = {};
  let bytes = 0;
  for (const [at, one] of wanted.entries()) {
    const row = at < limit && bytes < MAX_BATCH_BYTES ? readRow(session, one) : 'later';
    if (row === 'later' || bytes + (row?.size ?? 0) > MAX_BATCH_BYTES) {
      (UnprocessedKeys[one.name] ??= { ...one.request, Keys: [] }).Keys.push(one.key);
      continue;
    }
    if (row === undefined) continue;
    bytes += row.size;
    const { projection } = one.expressions;
    Responses[one.name]!.push(projection === undefined ? row.item : project(row.item, projection));
  }
  // The answer's order means nothing on AWS.
  if (session.engine.cloud.weather.strikes('reorder'))
    for (const items of Object.values(Responses)) items.reverse();
  const consumed = session.meter.consumed(request.ReturnConsumedCapacity);
  return { Responses, UnprocessedKeys, ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }) };
};

function wantedOf(session: Session, name: string, request: PerTable): Wanted[] {
  const keys = request.Keys.map((key) => readItem(key));
  const expressions = readExpressions(request, ['ProjectionExpression']);
  const table = allowedTable(session, 'BatchGetItem', name, (found) => ({
    LeadingKeys: leadingKeys(found.keys.hash, keys),
    Attributes: expressions.projection && namedAttributes(expressions, Object.keys(keys[0]!)),
  }));
  checkKeyPaths(table, expressions);
  for (const [at, key] of keys.entries()) {
    checkKey(table.keys, key);
    if (keys.slice(0, at).some((other) => sameItem(key, other))) {
      throw validation('Provided list of item keys contains duplicates');
    }
  }
  return keys.map((key) => ({ name, table, request, expressions, key }));
}

function readRow({ engine, meter }: Session, { table, key, request }: Wanted) {
  const row = engine.store.get(table, key);
  meter.read(table, readUnits(row?.size ?? 0, request.ConsistentRead ? 'consistent' : 'eventual'));
  return row;
}
