import * as z from 'zod';
import { AwsError } from '../../aws-error.ts';
import { validation } from '../errors.ts';
import { MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS } from '../limits.ts';
import { readUnits, writeUnits } from '../meter.ts';
import { members, onFailure, placeholders, readRequest, table, writing } from '../request.ts';
import type { ApiCall, Session } from '../session.ts';
import { itemSize } from '../value/size.ts';
import type { Reason } from './transaction-cancelled.ts';
import { NO_REASON, cancelled, conflict, distinctItems } from './transaction-cancelled.ts';
import type { Outcome, Write } from './write.ts';
import { decide, prepareCheck, prepareDelete, preparePut, prepareUpdate } from './write.ts';

const NAME = 'TransactWriteItems';
const common = { ...table, ...placeholders, ...onFailure, ConditionExpression: z.string().optional() };
const action = z.strictObject({
  Put: z.strictObject({ ...common, Item: members }).optional(),
  Update: z.strictObject({ ...common, Key: members, UpdateExpression: z.string() }).optional(),
  Delete: z.strictObject({ ...common, Key: members }).optional(),
  ConditionCheck: z.strictObject({ ...common, Key: members, ConditionExpression: z.string() }).optional(),
});
const transactWriteRequest = z.strictObject({
  ...writing,
  TransactItems: z.array(action).min(1).max(MAX_TRANSACTION_ITEMS),
  ClientRequestToken: z.string().min(1).max(36).optional(),
});

export const transactWriteItems: ApiCall = (session, input) => {
  const request = readRequest(transactWriteRequest, input);
  const writes = request.TransactItems.map((item) => prepare(session, item));
  distinctItems(writes);
  const { store, tokens, cloud } = session.engine;
  if (cloud.weather.strikes('transaction-conflict')) throw conflict(writes.length, cloud.weather);
  const { ClientRequestToken: token } = request;
  store.transaction(() => {
    const claim =
      token === undefined ? 'first' : tokens.claim(token, request.TransactItems, cloud.clock.now());
    if (claim === 'repeat') return repeat(session, writes);
    const outcomes = decideAll(session, writes);
    for (const [at, { old, item }] of outcomes.entries()) {
      const { table: target, kind } = writes[at]!;
      if (kind === 'ConditionCheck') session.meter.write(target, writeUnits(old?.size ?? 0));
      else store.replace(target, old, item, session.meter);
    }
  });
  const consumed = session.meter.consumed(request.ReturnConsumedCapacity, true);
  return consumed === undefined ? {} : { ConsumedCapacity: consumed };
};

function prepare(session: Session, { Put, Update, Delete, ConditionCheck }: z.infer<typeof action>): Write {
  if ([Put, Update, Delete, ConditionCheck].filter((one) => one !== undefined).length !== 1) {
    throw validation(
      'TransactItems can only contain one of Check, Put, Update or Delete in each of its members',
    );
  }
  if (Put !== undefined) return preparePut(session, Put, NAME);
  if (Update !== undefined) return prepareUpdate(session, Update, NAME);
  if (Delete !== undefined) return prepareDelete(session, Delete, NAME);
  return prepareCheck(session, ConditionCheck!, NAME);
}

/** What each write would do; throws TransactionCanceledException with the reason of each that cannot. */
function decideAll(session: Session, writes: Write[]): Outcome[] {
  const outcomes: Outcome[] = [];
  const reasons = writes.map((write): Reason => {
    try {
      outcomes.push(decide(session, write));
      return NO_REASON;
    } catch (error) {
      return reasonOf(error);
    }
  });
  if (reasons.some(({ Code }) => Code !== 'None')) throw cancelled(reasons);
  const bytes = outcomes.reduce((sum, { item }) => sum + (item === undefined ? 0 : itemSize(item)), 0);
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw validation('Transaction request size has exceeded the maximum of 4 MB across its items');
  }
  return outcomes;
}

function reasonOf(error: unknown): Reason {
  if (!(error instanceof AwsError)) throw error;
  const { code, message, fields } = error;
  if (code === 'ConditionalCheckFailedException') {
    return { Code: 'ConditionalCheckFailed', ...fields, Message: message };
  }
  if (code === 'ValidationException') return { Code: 'ValidationError', Message: message };
  throw error;
}

/** The same token again: nothing is written, and AWS bills a transactional read of each item. */
function repeat({ engine, meter }: Session, writes: Write[]): void {
  for (const { table: target, key } of writes) {
    meter.read(target, readUnits(engine.store.get(target, key)?.size ?? 0, 'transaction'));
  }
}
