import * as z from 'zod';
import { validation } from '../errors.ts';
import type { KeyCondition } from '../expression/key-condition.ts';
import { keyConditionOf } from '../expression/key-condition.ts';
import { pathsOf } from '../expression/condition-syntax.ts';
import { readRequest } from '../request.ts';
import type { ApiCall } from '../session.ts';
import { allowedTable, indexOf } from '../session.ts';
import { keyNames } from '../store/key-schema.ts';
import type { Place } from '../store/rows.ts';
import { inside } from '../value/attribute-value.ts';
import { keyBytes } from '../value/key-bytes.ts';
import type { Expressions } from './expressions.ts';
import { checkKeyPaths, namedAttributes, readExpressions } from './expressions.ts';
import type { Target } from './page.ts';
import { checkSelection, paging, perhapsLagging, selectionOf, takePage } from './page.ts';
import { startPlace } from './start-key.ts';

const queryRequest = z.strictObject({
  ...paging,
  KeyConditionExpression: z.string().optional(),
  ScanIndexForward: z.boolean().optional(),
});

export const query: ApiCall = (session, input) => {
  const request = readRequest(queryRequest, input);
  if (request.KeyConditionExpression === undefined) {
    throw validation(
      'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
    );
  }
  const expressions = readExpressions(request, [
    'ProjectionExpression',
    'FilterExpression',
    'KeyConditionExpression',
  ]);
  let wanted: KeyCondition | undefined;
  const { IndexName: indexName } = request;
  const table = allowedTable(
    session,
    'Query',
    request.TableName,
    (found) => {
      const schema = found.indexes.find(({ name }) => name === indexName)?.keys ?? found.keys;
      wanted = keyConditionOf(expressions.keyCondition!, schema);
      return {
        LeadingKeys: [String(inside(wanted.partition))],
        Attributes: namedAttributes(expressions),
        Select: selectionOf(request),
      };
    },
    indexName,
  );
  const target: Target = { table, index: indexOf(table, indexName) };
  checkSelection(target, request, expressions);
  checkKeyPaths(table, expressions);
  checkFilter(target, expressions);
  const forward = request.ScanIndexForward ?? true;
  const hash = keyBytes(wanted!.partition);
  const { range } = wanted!;
  const start = startPlace(target, request.ExclusiveStartKey);
  if (start !== undefined) checkStart(start, hash, wanted!);
  const covers = (place: Place): boolean =>
    place.hash.equals(hash) &&
    Buffer.compare(range.lower, place.position) <= 0 &&
    Buffer.compare(place.position, range.upper) < 0 &&
    (start === undefined || Buffer.compare(place.position, start.position) * (forward ? 1 : -1) > 0);
  const space = target.index?.space ?? table.space;
  const rows = session.engine.store.rows.partition(space, hash, range, forward, start?.position);
  return takePage(
    session,
    target,
    request,
    expressions,
    perhapsLagging(session, target.index, rows, covers, forward),
  );
};

function checkFilter({ table, index }: Target, { filter }: Expressions): void {
  if (filter === undefined) return;
  const heads = new Set(pathsOf(filter).map(([name]) => name));
  for (const name of keyNames((index ?? table).keys)) {
    if (!heads.has(name)) continue;
    throw validation(
      `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${name}`,
    );
  }
}

function checkStart(start: Place, hash: Buffer, { range }: KeyCondition): void {
  const inRange =
    Buffer.compare(range.lower, start.position) <= 0 && Buffer.compare(start.position, range.upper) < 0;
  if (!inRange) throw validation('The provided starting key does not match the range key predicate');
  if (start.hash.equals(hash)) return;
  throw validation('The provided starting key is outside query boundaries based on provided conditions');
}
