import * as z from 'zod';
import { invalidParameter, validation } from '../errors.ts';
import { holds } from '../expression/condition.ts';
import { project } from '../expression/projection.ts';
import { MAX_PAGE_BYTES } from '../limits.ts';
import { readUnits } from '../meter.ts';
import { consumedMode, members, placeholders, table } from '../request.ts';
import type { Session } from '../session.ts';
import { pick } from '../store/key-schema.ts';
import type { Place, Row } from '../store/rows.ts';
import { asBefore } from '../store/index-lag.ts';
import type { Index, Table } from '../store/table.ts';
import { projectedNames, startKeyNames } from '../store/table.ts';
import type { Item } from '../value/attribute-value.ts';
import type { Expressions } from './expressions.ts';

/** Parameters that Query and Scan share. */
export const paging = {
  ...table,
  ...placeholders,
  IndexName: z.string().optional(),
  Select: z.enum(['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT']).optional(),
  Limit: z.int().min(1).optional(),
  ConsistentRead: z.boolean().optional(),
  ExclusiveStartKey: members.optional(),
  FilterExpression: z.string().optional(),
  ProjectionExpression: z.string().optional(),
  ReturnConsumedCapacity: consumedMode,
};
export type PagingRequest = z.infer<z.ZodObject<typeof paging>>;

export interface Target {
  table: Table;
  index: Index | undefined;
}

/** Checks Select, ConsistentRead and the projection against the table or index that is read. */
export function checkSelection(
  { table, index }: Target,
  request: PagingRequest,
  { projection }: Expressions,
): void {
  const { Select: select } = request;
  if (index !== undefined && request.ConsistentRead) {
    throw validation('Consistent reads are not supported on global secondary indexes');
  }
  if (select === 'SPECIFIC_ATTRIBUTES' && projection === undefined) {
    throw validation(
      'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES',
    );
  }
  if (select !== undefined && select !== 'SPECIFIC_ATTRIBUTES' && projection !== undefined) {
    const what = select === 'COUNT' ? 'only the Count' : select;
    throw validation(`Cannot specify the ProjectionExpression when choosing to get ${what}`);
  }
  if (select === 'ALL_PROJECTED_ATTRIBUTES' && index === undefined) {
    throw validation('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
  if (index !== undefined) checkProjected(table, index, request, projection ?? []);
}

function checkProjected(
  table: Table,
  index: Index,
  { Select: select }: PagingRequest,
  projection: NonNullable<Expressions['projection']>,
): void {
  const names = projectedNames(table, index);
  if (names === 'all') return;
  if (select === 'ALL_ATTRIBUTES') {
    throw invalidParameter(
      `Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} ` +
        'because its projection type is not ALL',
    );
  }
  const missing = projection.map(([name]) => name).filter((name) => !names.has(name));
  if (missing.length === 0) return;
  throw invalidParameter(`Global secondary index ${index.name} does not project [${missing.join(', ')}]`);
}

/** Which attributes the answer shows, for the condition key `dynamodb:Select`. */
export function selectionOf(request: PagingRequest): string {
  if (request.Select !== undefined) return request.Select;
  if (request.ProjectionExpression !== undefined) return 'SPECIFIC_ATTRIBUTES';
  return request.IndexName === undefined ? 'ALL_ATTRIBUTES' : 'ALL_PROJECTED_ATTRIBUTES';
}

/** The rows of an index as a reader may meet them: in bad weather those of a moment ago. */
export function perhapsLagging(
  { engine }: Session,
  index: Index | undefined,
  rows: Iterable<Row>,
  wanted: (place: Place) => boolean,
  forward: boolean,
): Iterable<Row> {
  const { weather } = engine.cloud;
  if (index === undefined || !weather.strikes('index-lag')) return rows;
  return asBefore(rows, engine.store.lag.takeBack(index.space, weather.random()), wanted, forward);
}

/** Takes one page from the rows: Limit and 1 MB count what is read, the filter comes after. */
export function takePage(
  session: Session,
  { table, index }: Target,
  request: PagingRequest,
  { filter, projection }: Expressions,
  rows: Iterable<Row>,
): object {
  const items: Item[] = [];
  let [scanned, bytes, count] = [0, 0, 0];
  let last: Row | undefined;
  for (const row of rows) {
    scanned++;
    bytes += row.size;
    if (filter === undefined || holds(filter, row.item)) {
      count++;
      if (request.Select !== 'COUNT') items.push(projection ? project(row.item, projection) : row.item);
    }
    if (scanned !== request.Limit && bytes < MAX_PAGE_BYTES) continue;
    last = row;
    break;
  }
  session.meter.read(table, readUnits(bytes, request.ConsistentRead ? 'consistent' : 'eventual'), index);
  const consumed = session.meter.consumed(request.ReturnConsumedCapacity)?.[0];
  return {
    ...(request.Select === 'COUNT' ? {} : { Items: items }),
    Count: count,
    ScannedCount: scanned,
    ...(last === undefined ? {} : { LastEvaluatedKey: pick(last.item, startKeyNames(table, index)) }),
    ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }),
  };
}
