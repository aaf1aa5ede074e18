import * as z from 'zod';
import { validation } from '../errors.ts';
import { project } from '../expression/projection.ts';
import { MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS } from '../limits.ts';
import { readUnits } from '../meter.ts';
import { consumedMode, members, placeholders, readRequest, table } from '../request.ts';
import type { ApiCall, Session } from '../session.ts';
import { allowedTable, leadingKeys } from '../session.ts';
import { checkKey } from '../store/key-schema.ts';
import { readItem } from '../value/attribute-value.ts';
import { checkKeyPaths, namedAttributes, readExpressions } from './expressions.ts';
import { conflict, distinctItems } from './transaction-cancelled.ts';

const get = z.strictObject({
  ...table,
  Key: members,
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: placeholders.ExpressionAttributeNames,
});
const transactGetRequest = z.strictObject({
  TransactItems: z
    .array(z.strictObject({ Get: get }))
    .min(1)
    .max(MAX_TRANSACTION_ITEMS),
  ReturnConsumedCapacity: consumedMode,
});

export const transactGetItems: ApiCall = (session, input) => {
  const request = readRequest(transactGetRequest, input);
  const wanted = request.TransactItems.map(({ Get }) => prepare(session, Get));
  distinctItems(wanted);
  const { store, cloud } = session.engine;
  if (cloud.weather.strikes('transaction-conflict')) throw conflict(wanted.length, cloud.weather);
  let bytes = 0;
  const Responses = wanted.map(({ table: target, key, projection }) => {
    const row = store.get(target, key);
    bytes += row?.size ?? 0;
    session.meter.read(target, readUnits(row?.size ?? 0, 'transaction'));
    if (row === undefined) return {};
    return { Item: projection === undefined ? row.item : project(row.item, projection) };
  });
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw validation('Transaction request size has exceeded the maximum of 4 MB across its items');
  }
  const consumed = session.meter.consumed(request.ReturnConsumedCapacity, true);
  return { Responses, ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }) };
};

function prepare(session: Session, input: z.infer<typeof get>) {
  const key = readItem(input.Key);
  const expressions = readExpressions(input, ['ProjectionExpression']);
  const { projection } = expressions;
  const found = allowedTable(session, 'GetItem', input.TableName, (candidate) => ({
    LeadingKeys: leadingKeys(candidate.keys.hash, [key]),
    Attributes: projection && namedAttributes(expressions, Object.keys(key)),
    EnclosingOperation: 'TransactGetItems',
  }));
  checkKey(found.keys, key);
  checkKeyPaths(found, expressions);
  return { table: found, key, projection };
}
