import * as z from 'zod';
import type { DocumentPath } from '../expression/document-path.ts';
import { project } from '../expression/projection.ts';
import type { ConsumedMode } from '../meter.ts';
import { members, oldOrNothing, onFailure, placeholders, readRequest, table, writing } from '../request.ts';
import type { ApiCall, Session } from '../session.ts';
import type { Item } from '../value/attribute-value.ts';
import type { Outcome } from './write.ts';
import { perform, prepareDelete, preparePut, prepareUpdate } from './write.ts';

const common = {
  ...table,
  ...placeholders,
  ...writing,
  ...onFailure,
  ConditionExpression: z.string().optional(),
};
const putRequest = z.strictObject({ ...common, Item: members, ReturnValues: oldOrNothing });
const deleteRequest = z.strictObject({ ...common, Key: members, ReturnValues: oldOrNothing });
const updateRequest = z.strictObject({
  ...common,
  Key: members,
  UpdateExpression: z.string().optional(),
  ReturnValues: z.enum(['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW']).optional(),
});

export const putItem: ApiCall = (session, input) => {
  const request = readRequest(putRequest, input);
  const { old } = perform(session, preparePut(session, request));
  return answer(
    session,
    request.ReturnConsumedCapacity,
    request.ReturnValues === 'ALL_OLD' ? old?.item : undefined,
  );
};

export const deleteItem: ApiCall = (session, input) => {
  const request = readRequest(deleteRequest, input);
  const { old } = perform(session, prepareDelete(session, request));
  return answer(
    session,
    request.ReturnConsumedCapacity,
    request.ReturnValues === 'ALL_OLD' ? old?.item : undefined,
  );
};

export const updateItem: ApiCall = (session, input) => {
  const request = readRequest(updateRequest, input);
  const write = prepareUpdate(session, request);
  const outcome = perform(session, write);
  const paths = (write.expressions.update ?? []).map(({ path }) => path);
  return answer(session, request.ReturnConsumedCapacity, returned(request.ReturnValues, outcome, paths));
};

function returned(mode: string | undefined, { old, item }: Outcome, paths: DocumentPath[]): Item | undefined {
  if (mode === 'ALL_OLD') return old?.item;
  if (mode === 'ALL_NEW') return item;
  const from = mode === 'UPDATED_OLD' ? old?.item : mode === 'UPDATED_NEW' ? item : undefined;
  const chosen = from && project(from, paths);
  return chosen === undefined || Object.keys(chosen).length === 0 ? undefined : chosen;
}

function answer(session: Session, mode: ConsumedMode | undefined, attributes: Item | undefined): object {
  const consumed = session.meter.consumed(mode)?.[0];
  return {
    ...(attributes === undefined ? {} : { Attributes: attributes }),
    ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }),
  };
}
