import * as z from 'zod';
import { AwsError } from '../../aws-error.ts';
import { notFound, validation } from '../errors.ts';
import { readRequest } from '../request.ts';
import type { ApiCall, Session } from '../session.ts';
import { authorize } from '../session.ts';
import type { Stream, StreamRecord } from '../store/streams.ts';
import { sequenceOf, sequenceText, STREAM_RETENTION_MS } from '../store/streams.ts';
import { keySchemaOf } from './describe.ts';

/** One shard, never closed: a home has one writer. */
const SHARD = 'shardId-00000000000000000001-00000001';
const ITERATOR_MS = 15 * 60 * 1000;
const MAX_RECORDS_BYTES = 1024 * 1024;

const describeRequest = z.strictObject({
  StreamArn: z.string(),
  Limit: z.int().min(1).max(100).optional(),
  ExclusiveStartShardId: z.string().optional(),
});
const iteratorRequest = z.strictObject({
  StreamArn: z.string(),
  ShardId: z.string(),
  ShardIteratorType: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']),
  SequenceNumber: z.string().optional(),
});
const recordsRequest = z.strictObject({
  ShardIterator: z.string(),
  Limit: z.int().min(1).max(1000).optional(),
});
const listRequest = z.strictObject({
  TableName: z.string().optional(),
  Limit: z.int().min(1).max(100).optional(),
  ExclusiveStartStreamArn: z.string().optional(),
});
const iterator = z.strictObject({ arn: z.string(), after: z.int(), at: z.number() });

/** The stream of an ARN, once IAM allows the action on it. */
export function allowedStream(session: Session, action: string, arn: string): Stream & { table: string } {
  authorize(session, action, arn);
  const table = session.engine.catalog.byStream(arn);
  if (table?.stream === undefined) throw notFound(`Requested resource not found: Stream: ${arn} not found`);
  return { ...table.stream, tableId: table.space, table: table.name };
}

/** The oldest moment of which records are kept, in milliseconds. */
export function trimHorizon({ engine }: Session): number {
  return engine.cloud.clock.now() - STREAM_RETENTION_MS;
}

export const describeStream: ApiCall = (session, input) => {
  const { StreamArn } = readRequest(describeRequest, input);
  const stream = allowedStream(session, 'DescribeStream', StreamArn);
  const table = session.engine.catalog.get(stream.table)!;
  const { records } = session.engine.store;
  const first = records.oldest(stream, trimHorizon(session)) ?? records.last() + 1;
  return {
    StreamDescription: {
      StreamArn,
      StreamLabel: stream.label,
      StreamStatus: 'ENABLED',
      StreamViewType: stream.view,
      CreationRequestDateTime: table.created / 1000,
      TableName: table.name,
      KeySchema: keySchemaOf(table.keys),
      Shards: [{ ShardId: SHARD, SequenceNumberRange: { StartingSequenceNumber: sequenceText(first) } }],
    },
  };
};

export const getShardIterator: ApiCall = (session, input) => {
  const request = readRequest(iteratorRequest, input);
  const stream = allowedStream(session, 'GetShardIterator', request.StreamArn);
  if (request.ShardId !== SHARD) {
    throw notFound(`Requested resource not found: Shard does not exist: ${request.ShardId}`);
  }
  return {
    ShardIterator: write({ arn: stream.arn, after: startOf(session, stream, request), at: now(session) }),
  };
};

function startOf(session: Session, stream: Stream, request: z.infer<typeof iteratorRequest>): number {
  const { records } = session.engine.store;
  if (request.ShardIteratorType === 'TRIM_HORIZON') return 0;
  if (request.ShardIteratorType === 'LATEST') return records.last();
  const sequence = sequenceOf(request.SequenceNumber ?? '');
  if (sequence === undefined) throw validation('Invalid SequenceNumber');
  const oldest = records.oldest(stream, trimHorizon(session)) ?? records.last() + 1;
  if (sequence < oldest - 1) {
    throw new AwsError(
      'TrimmedDataAccessException',
      'The operation attempted to read past the oldest stream record in a shard.',
    );
  }
  return request.ShardIteratorType === 'AT_SEQUENCE_NUMBER' ? sequence - 1 : sequence;
}

export const getRecords: ApiCall = (session, input) => {
  const { ShardIterator, Limit: limit = 1000 } = readRequest(recordsRequest, input);
  const { arn, after, at } = read(ShardIterator);
  const stream = allowedStream(session, 'GetRecords', arn);
  if (at < now(session) - ITERATOR_MS) {
    throw new AwsError(
      'ExpiredIteratorException',
      'Iterator expired: it was issued more than 15 minutes ago.',
    );
  }
  const { store, cloud } = session.engine;
  const found = store.records.after(stream, after, trimHorizon(session), limit, cloud.region);
  const page = withinBytes(found);
  const last = page.at(-1);
  const next = last === undefined ? after : sequenceOf(last.dynamodb.SequenceNumber)!;
  return { Records: page.map(onWire), NextShardIterator: write({ arn, after: next, at: now(session) }) };
};

export const listStreams: ApiCall = (session, input) => {
  const { TableName, Limit: limit = 100, ExclusiveStartStreamArn: start } = readRequest(listRequest, input);
  authorize(session, 'ListStreams', '*');
  const streams = session.engine.catalog.all().flatMap(({ name, stream }) => {
    const wanted = stream !== undefined && (TableName ?? name) === name;
    return wanted ? [{ StreamArn: stream.arn, TableName: name, StreamLabel: stream.label }] : [];
  });
  const after = start === undefined ? streams : streams.filter(({ StreamArn }) => StreamArn > start);
  const page = after.slice(0, limit);
  return {
    Streams: page,
    ...(after.length > limit ? { LastEvaluatedStreamArn: page.at(-1)!.StreamArn } : {}),
  };
};

function withinBytes(records: StreamRecord[]): StreamRecord[] {
  let bytes = 0;
  const over = records.findIndex(
    ({ dynamodb }, at) => (bytes += dynamodb.SizeBytes) > MAX_RECORDS_BYTES && at > 0,
  );
  return over < 0 ? records : records.slice(0, over);
}

/** GetRecords writes the identity in capitals and leaves out the stream's ARN, which Lambda adds. */
function onWire({ eventSourceARN: _, userIdentity, ...record }: StreamRecord): object {
  if (userIdentity === undefined) return record;
  return { ...record, userIdentity: { Type: userIdentity.type, PrincipalId: userIdentity.principalId } };
}

function now({ engine }: Session): number {
  return engine.cloud.clock.now();
}

function write(position: z.infer<typeof iterator>): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function read(text: string): z.infer<typeof iterator> {
  try {
    return iterator.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw validation('Invalid ShardIterator');
  }
}
