import * as z from 'zod';
import { validation } from '../errors.ts';
import { readRequest } from '../request.ts';
import type { ApiCall } from '../session.ts';
import { allowedTable, indexOf } from '../session.ts';
import type { Place } from '../store/rows.ts';
import { comparePlaces } from '../store/rows.ts';
import { checkKeyPaths, namedAttributes, readExpressions } from './expressions.ts';
import type { Target } from './page.ts';
import { checkSelection, paging, perhapsLagging, selectionOf, takePage } from './page.ts';
import { startPlace } from './start-key.ts';

const TOKENS = 2 ** 32;
const scanRequest = z.strictObject({
  ...paging,
  Segment: z.int().min(0).max(999_999).optional(),
  TotalSegments: z.int().min(1).max(1_000_000).optional(),
});

export const scan: ApiCall = (session, input) => {
  const request = readRequest(scanRequest, input);
  const expressions = readExpressions(request, ['ProjectionExpression', 'FilterExpression']);
  const segment = segmentOf(request.Segment, request.TotalSegments);
  const { IndexName: indexName } = request;
  // A scan has no leading keys: a policy that fences by them must not allow Scan.
  const keys = () => ({
    Attributes: request.ProjectionExpression === undefined ? undefined : namedAttributes(expressions),
    Select: selectionOf(request),
  });
  const table = allowedTable(session, 'Scan', request.TableName, keys, indexName);
  const target: Target = { table, index: indexOf(table, indexName) };
  checkSelection(target, request, expressions);
  checkKeyPaths(table, expressions);
  const start = startPlace(target, request.ExclusiveStartKey);
  if (start !== undefined && (start.token < segment.from || start.token >= segment.to)) {
    throw validation(
      'The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct ' +
        `Segment. TotalSegments: ${request.TotalSegments} Segment: ${request.Segment}`,
    );
  }
  const covers = (place: Place): boolean =>
    place.token >= segment.from &&
    place.token < segment.to &&
    (start === undefined || comparePlaces(place, start) > 0);
  const rows = session.engine.store.rows.all(target.index?.space ?? table.space, segment, start);
  return takePage(
    session,
    target,
    request,
    expressions,
    perhapsLagging(session, target.index, rows, covers, true),
  );
};

/** The stretch of tokens that a parallel scan's segment reads. */
function segmentOf(segment: number | undefined, total: number | undefined): { from: number; to: number } {
  if (segment === undefined && total === undefined) return { from: 0, to: TOKENS };
  if (segment === undefined || total === undefined) {
    const [missing, present] =
      segment === undefined ? ['Segment', 'parameter TotalSegments'] : ['TotalSegments', 'Segment parameter'];
    throw validation(
      `The ${missing} parameter is required but was not present in the request when ${present} is present`,
    );
  }
  if (segment >= total) {
    throw validation(
      'The Segment parameter is zero-based and must be less than parameter TotalSegments: ' +
        `Segment: ${segment} is not less than TotalSegments: ${total}`,
    );
  }
  return { from: Math.ceil((TOKENS * segment) / total), to: Math.ceil((TOKENS * (segment + 1)) / total) };
}
