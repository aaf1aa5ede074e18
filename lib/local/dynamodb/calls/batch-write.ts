import * as z from 'zod';
import { validation } from '../errors.ts';
import { MAX_BATCH_WRITE, MAX_ITEM_BYTES } from '../limits.ts';
import { members, readRequest, writing } from '../request.ts';
import type { ApiCall, Session } from '../session.ts';
import { allowedTable, leadingKeys } from '../session.ts';
import { checkItemKey, checkKey, keyOf } from '../store/key-schema.ts';
import { checkIndexKeys } from '../store/index-keys.ts';
import type { Table } from '../store/table.ts';
import type { Item } from '../value/attribute-value.ts';
import { readItem } from '../value/attribute-value.ts';
import { sameItem } from '../value/equality.ts';
import { itemSize } from '../value/size.ts';

const writeRequest = z.strictObject({
  PutRequest: z.strictObject({ Item: members }).optional(),
  DeleteRequest: z.strictObject({ Key: members }).optional(),
});
const batchWriteRequest = z.strictObject({
  ...writing,
  RequestItems: z.record(z.string(), z.array(writeRequest).min(1)),
});
type WriteRequest = z.infer<typeof writeRequest>;

interface BatchWrite {
  name: string;
  table: Table;
  key: Item;
  item: Item | undefined;
  request: WriteRequest;
}

export const batchWriteItem: ApiCall = (session, input) => {
  const request = readRequest(batchWriteRequest, input);
  const names = Object.entries(request.RequestItems);
  if (names.length === 0)
    throw validation('The batch write request list for a table cannot be null or empty');
  if (names.reduce((sum, [, requests]) => sum + requests.length, 0) > MAX_BATCH_WRITE) {
    throw validation('Too many items requested for the BatchWriteItem call');
  }
  const writes = names.flatMap(([name, requests]) => writesOf(session, name, requests));
  const limit = processedCount(session, writes.length);
  const { store } = session.engine;
  store.transaction(() => {
    for (const { table, key, item } of writes.slice(0, limit)) {
      store.replace(table, store.get(table, key), item, session.meter);
    }
  });
  const UnprocessedItems: Record<string, WriteRequest[]> = {};
  for (const { name, request: left } of writes.slice(limit)) (UnprocessedItems[name] ??= []).push(left);
  const consumed = session.meter.consumed(request.ReturnConsumedCapacity);
  return { UnprocessedItems, ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }) };
};

/** How many of a batch are done this time: all, or at least one in bad weather. */
export function processedCount({ engine }: Session, count: number): number {
  const { weather } = engine.cloud;
  if (count < 2 || !weather.strikes('partial-batch')) return count;
  return 1 + Math.floor(weather.random() * (count - 1));
}

function writesOf(session: Session, name: string, requests: WriteRequest[]): BatchWrite[] {
  const items = requests.map(({ PutRequest: put, DeleteRequest: del }) => {
    if ((put === undefined) === (del === undefined)) {
      throw validation(
        'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
      );
    }
    return readItem(put?.Item ?? del?.Key);
  });
  const table = allowedTable(session, 'BatchWriteItem', name, (found) => ({
    LeadingKeys: leadingKeys(found.keys.hash, items),
    Attributes: [...new Set(items.flatMap((item) => Object.keys(item)))],
  }));
  const writes = requests.map((request, at) => {
    const item = items[at]!;
    if (request.DeleteRequest === undefined) checkPut(table, item);
    else checkKey(table.keys, item);
    const put = request.DeleteRequest === undefined ? item : undefined;
    return { name, table, key: keyOf(table.keys, item), item: put, request };
  });
  for (const [at, { key }] of writes.entries()) {
    if (!writes.slice(0, at).some((other) => sameItem(key, other.key))) continue;
    throw validation('Provided list of item keys contains duplicates');
  }
  return writes;
}

function checkPut(table: Table, item: Item): void {
  checkItemKey(table.keys, item);
  checkIndexKeys(table, item);
  if (itemSize(item) > MAX_ITEM_BYTES) throw validation('Item size has exceeded the maximum allowed size');
}
