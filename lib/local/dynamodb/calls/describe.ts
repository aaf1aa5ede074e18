import * as z from 'zod';
import { readRequest, table } from '../request.ts';
import type { ApiCall } from '../session.ts';
import { allowedTable, authorize } from '../session.ts';
import type { KeySchema } from '../store/key-schema.ts';
import type { TableStore } from '../store/table-store.ts';
import type { Index, Table } from '../store/table.ts';

const describeRequest = z.strictObject(table);
const listRequest = z.strictObject({
  ExclusiveStartTableName: z.string().optional(),
  Limit: z.int().min(1).max(100).optional(),
});

export const describeTable: ApiCall = (session, input) => {
  const { TableName } = readRequest(describeRequest, input);
  const found = allowedTable(session, 'DescribeTable', TableName);
  return { Table: tableDescription(found, session.engine.store) };
};

export const describeTimeToLive: ApiCall = (session, input) => {
  const { TableName } = readRequest(describeRequest, input);
  const { ttlAttribute } = allowedTable(session, 'DescribeTimeToLive', TableName);
  const description =
    ttlAttribute === undefined
      ? { TimeToLiveStatus: 'DISABLED' }
      : { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute };
  return { TimeToLiveDescription: description };
};

export const listTables: ApiCall = (session, input) => {
  const { ExclusiveStartTableName: start, Limit: limit = 100 } = readRequest(listRequest, input);
  authorize(session, 'ListTables', '*');
  const names = session.engine.catalog.all().map(({ name }) => name);
  const after = start === undefined ? names : names.filter((name) => name > start);
  const page = after.slice(0, limit);
  return { TableNames: page, ...(after.length > limit ? { LastEvaluatedTableName: page.at(-1) } : {}) };
};

/** The HASH and RANGE elements of a key schema. */
export function keySchemaOf({ hash, range }: KeySchema): object[] {
  return [
    { AttributeName: hash.name, KeyType: 'HASH' },
    ...(range === undefined ? [] : [{ AttributeName: range.name, KeyType: 'RANGE' }]),
  ];
}

function tableDescription(found: Table, store: TableStore): object {
  const parts = [found, ...found.indexes].flatMap(({ keys }) => [keys.hash, keys.range ?? []].flat());
  const types = new Map(parts.map(({ name, type }) => [name, type]));
  const { count, bytes } = store.rows.measure(found.space);
  return {
    TableName: found.name,
    TableArn: found.arn,
    TableId: found.uuid,
    TableStatus: 'ACTIVE',
    CreationDateTime: found.created / 1000,
    AttributeDefinitions: [...types].map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    KeySchema: keySchemaOf(found.keys),
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    DeletionProtectionEnabled: found.deletionProtection,
    ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    ItemCount: count,
    TableSizeBytes: bytes,
    ...(found.indexes.length === 0
      ? {}
      : { GlobalSecondaryIndexes: found.indexes.map((index) => indexDescription(index, store)) }),
    ...(found.stream === undefined
      ? {}
      : {
          StreamSpecification: { StreamEnabled: true, StreamViewType: found.stream.view },
          LatestStreamArn: found.stream.arn,
          LatestStreamLabel: found.stream.label,
        }),
  };
}

function indexDescription(index: Index, store: TableStore): object {
  const { count, bytes } = store.rows.measure(index.space);
  const { projection } = index;
  return {
    IndexName: index.name,
    IndexArn: index.arn,
    IndexStatus: 'ACTIVE',
    KeySchema: keySchemaOf(index.keys),
    Projection: {
      ProjectionType: projection.type,
      ...(projection.type === 'INCLUDE' ? { NonKeyAttributes: projection.attributes } : {}),
    },
    ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    ItemCount: count,
    IndexSizeBytes: bytes,
  };
}
