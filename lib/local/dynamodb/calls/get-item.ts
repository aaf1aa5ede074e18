import * as z from 'zod';
import { project } from '../expression/projection.ts';
import { readUnits } from '../meter.ts';
import { consumedMode, members, placeholders, readRequest, table } from '../request.ts';
import type { ApiCall } from '../session.ts';
import { allowedTable, leadingKeys } from '../session.ts';
import { checkKey } from '../store/key-schema.ts';
import { readItem } from '../value/attribute-value.ts';
import { checkKeyPaths, namedAttributes, readExpressions } from './expressions.ts';

const getRequest = z.strictObject({
  ...table,
  Key: members,
  ConsistentRead: z.boolean().optional(),
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: placeholders.ExpressionAttributeNames,
  ReturnConsumedCapacity: consumedMode,
});

export const getItem: ApiCall = (session, input) => {
  const request = readRequest(getRequest, input);
  const key = readItem(request.Key);
  const expressions = readExpressions(request, ['ProjectionExpression']);
  const { projection } = expressions;
  const table = allowedTable(session, 'GetItem', request.TableName, (found) => ({
    LeadingKeys: leadingKeys(found.keys.hash, [key]),
    Attributes: projection && namedAttributes(expressions, Object.keys(key)),
  }));
  checkKey(table.keys, key);
  checkKeyPaths(table, expressions);
  const row = session.engine.store.get(table, key);
  session.meter.read(table, readUnits(row?.size ?? 0, request.ConsistentRead ? 'consistent' : 'eventual'));
  const consumed = session.meter.consumed(request.ReturnConsumedCapacity)?.[0];
  return {
    ...(row === undefined
      ? {}
      : { Item: projection === undefined ? row.item : project(row.item, projection) }),
    ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }),
  };
};
