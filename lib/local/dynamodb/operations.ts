import { batchGetItem } from './calls/batch-get.ts';
import { batchWriteItem } from './calls/batch-write.ts';
import { describeTable, describeTimeToLive, listTables } from './calls/describe.ts';
import { getItem } from './calls/get-item.ts';
import { deleteItem, putItem, updateItem } from './calls/put-update-delete.ts';
import { query } from './calls/query.ts';
import { scan } from './calls/scan.ts';
import { describeStream, getRecords, getShardIterator, listStreams } from './calls/streams.ts';
import { transactGetItems } from './calls/transact-get.ts';
import { transactWriteItems } from './calls/transact-write.ts';
import type { ApiCall } from './session.ts';

export interface Operation {
  call: ApiCall;
  /** Reads or writes items, so it may be throttled. */
  data: boolean;
  /** What a write in it costs: transactions cost double. */
  factor: 1 | 2;
}

const data = (call: ApiCall): Operation => ({ call, data: true, factor: 1 });
const transaction = (call: ApiCall): Operation => ({ call, data: true, factor: 2 });
const control = (call: ApiCall): Operation => ({ call, data: false, factor: 1 });

/** The calls on offer, by their X-Amz-Target. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ...Object.entries({
    PutItem: data(putItem),
    GetItem: data(getItem),
    UpdateItem: data(updateItem),
    DeleteItem: data(deleteItem),
    Query: data(query),
    Scan: data(scan),
    BatchGetItem: data(batchGetItem),
    BatchWriteItem: data(batchWriteItem),
    TransactWriteItems: transaction(transactWriteItems),
    TransactGetItems: transaction(transactGetItems),
    DescribeTable: control(describeTable),
    DescribeTimeToLive: control(describeTimeToLive),
    ListTables: control(listTables),
  }).map(([name, operation]): [string, Operation] => [`DynamoDB_20120810.${name}`, operation]),
  ...Object.entries({
    DescribeStream: control(describeStream),
    GetShardIterator: control(getShardIterator),
    GetRecords: control(getRecords),
    ListStreams: control(listStreams),
  }).map(([name, operation]): [string, Operation] => [`DynamoDBStreams_20120810.${name}`, operation]),
]);
