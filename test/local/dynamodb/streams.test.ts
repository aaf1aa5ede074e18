import {
  DescribeStreamCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { World } from './world.ts';
import { N, operator, properties, S, served, world } from './world.ts';

const TableName = 'table';
const key = (sk: string) => ({ pk: S('s'), sk: S(sk) });
const HOUR = 60 * 60 * 1000;
let here: World;
let stream: string;

beforeEach(async () => {
  here = world();
  stream = String((await here.deploy(properties())).attributes!['StreamArn']);
});
afterEach(() => here.stop());

const put = (item: object) => here.call('PutItem', { TableName, Item: item });
const read = (after = 'TRIM_HORIZON', limit = 1000) =>
  here.dynamodb.readStream(operator, stream, after, limit);
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a stream read in process', () => {
  it('has the records a Lambda function is handed', () => {
    put({ ...key('1'), n: N(1) });
    put({ ...key('1'), n: N(2) });
    here.call('DeleteItem', { TableName, Key: key('1') });
    const records = read();
    expect(records.map(({ eventName }) => eventName)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
    expect(records[1]).toEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: key('1'),
        NewImage: { ...key('1'), n: N(2) },
        OldImage: { ...key('1'), n: N(1) },
        SequenceNumber: expect.stringMatching(/^\d{21}$/),
        SizeBytes: expect.any(Number),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: stream,
    });
    expect(records[0]!.dynamodb).not.toHaveProperty('OldImage');
    expect(records[2]!.dynamodb).not.toHaveProperty('NewImage');
    expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(3);
  });

  it('goes on after a sequence number, in order and in pages', () => {
    for (let at = 0; at < 10; at++) put(key(String(at)));
    const first = read('TRIM_HORIZON', 4);
    const rest = read(first[3]!.dynamodb.SequenceNumber);
    expect(rest).toHaveLength(6);
    const numbers = [...first, ...rest].map(({ dynamodb }) => dynamodb.SequenceNumber);
    expect(numbers).toEqual([...numbers].sort());
    const end = here.dynamodb.latestSequence(stream);
    expect(read(end)).toEqual([]);
    put(key('after'));
    expect(read(end).map(({ dynamodb }) => dynamodb.Keys['sk'])).toEqual([S('after')]);
    expect(read('LATEST')).toEqual([]);
  });

  it('says nothing about a write that changes nothing', () => {
    put({ ...key('1'), tags: { SS: ['a', 'b'] } });
    put({ ...key('1'), tags: { SS: ['b', 'a'] } });
    here.call('UpdateItem', { TableName, Key: key('2'), UpdateExpression: 'REMOVE a' });
    here.call('DeleteItem', { TableName, Key: key('3') });
    expect(read()).toHaveLength(1);
  });

  it('keeps its numbers growing across restarts and trimming, and its records for 24 hours', async () => {
    put(key('1'));
    const [before] = read();
    here.clock.advance(23 * HOUR);
    put(key('2'));
    expect(read()).toHaveLength(2);
    here.clock.advance(2 * HOUR);
    expect(read().map(({ dynamodb }) => dynamodb.Keys['sk'])).toEqual([S('2')]);
    here.clock.advance(30 * HOUR);
    await here.restart();
    await here.deploy(properties());
    expect(read()).toEqual([]);
    put(key('3'));
    const [after] = read();
    expect(after!.dynamodb.SequenceNumber > before!.dynamodb.SequenceNumber).toBe(true);
  });

  it('calls its listeners after the commit, and only then', async () => {
    const seen: number[] = [];
    const off = here.dynamodb.onStream(stream, () => void seen.push(read().length));
    put(key('1'));
    expect(seen).toEqual([]);
    await settled();
    expect(seen).toEqual([1]);
    const failing = [
      { Put: { TableName, Item: key('2') } },
      { ConditionCheck: { TableName, Key: key('9'), ConditionExpression: 'attribute_exists(pk)' } },
    ];
    expect(() => here.call('TransactWriteItems', { TransactItems: failing })).toThrow();
    put(key('1'));
    await settled();
    expect(seen).toEqual([1]);
    off();
    put(key('3'));
    await settled();
    expect(seen).toEqual([1]);
  });

  it.each([
    ['KEYS_ONLY', []],
    ['NEW_IMAGE', ['NewImage']],
    ['OLD_IMAGE', ['OldImage']],
  ])('shows of %s only its images', async (StreamViewType, images) => {
    const more = { TableName: StreamViewType, StreamSpecification: { StreamViewType } };
    const arn = String((await here.deploy(properties([], more))).attributes!['StreamArn']);
    here.call('PutItem', { TableName: StreamViewType, Item: { ...key('1'), n: N(1) } });
    here.call('PutItem', { TableName: StreamViewType, Item: { ...key('1'), n: N(2) } });
    const [, record] = here.dynamodb.readStream(operator, arn, 'TRIM_HORIZON', 10);
    expect(Object.keys(record!.dynamodb).filter((name) => name.endsWith('Image'))).toEqual(images);
  });
});

describe('the time to live', () => {
  const seconds = () => Math.floor(here.clock.now() / 1000);
  const exists = (sk: string) => here.call('GetItem', { TableName, Key: key(sk) }).Item !== undefined;

  it('deletes a while after it has passed, and says so in the stream', () => {
    put({ ...key('soon'), ttl: N(seconds() + 60) });
    put({ ...key('later'), ttl: N(seconds() + 48 * 3600) });
    put({ ...key('text'), ttl: S(String(seconds() - 3600)) });
    put({ ...key('ancient'), ttl: N(seconds() - 6 * 365 * 24 * 3600) });
    put({ ...key('renewed'), ttl: N(seconds() + 60) });
    put({ ...key('renewed'), ttl: N(seconds() + 48 * 3600) });
    here.clock.advance(2 * 60 * 1000);
    expect(exists('soon')).toBe(true);
    here.clock.advance(30 * 60 * 1000);
    expect(['soon', 'later', 'text', 'ancient', 'renewed'].map(exists)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    const last = read().at(-1)!;
    expect(last).toMatchObject({
      eventName: 'REMOVE',
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
      dynamodb: { Keys: key('soon'), OldImage: key('soon') },
    });
    expect(read()[0]).not.toHaveProperty('userIdentity');
  });

  it('works off more than one batch, and after a restart', async () => {
    for (let at = 0; at < 250; at++) put({ ...key(String(at)), ttl: N(seconds()) });
    await here.restart();
    await here.deploy(properties());
    here.clock.advance(30 * 60 * 1000);
    expect(here.call('Scan', { TableName, Select: 'COUNT' }).Count).toBe(0);
  });
});

describe('a stream read over HTTP', () => {
  it('answers the SDK shard by iterator', async () => {
    const { streams: client, close } = await served(here);
    put({ ...key('1'), ttl: N(1) });
    expect((await client.send(new ListStreamsCommand({ TableName }))).Streams).toEqual([
      { StreamArn: stream, TableName, StreamLabel: stream.split('/stream/')[1] },
    ]);
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: stream }));
    expect(StreamDescription).toMatchObject({ StreamStatus: 'ENABLED', TableName });
    const [shard] = StreamDescription!.Shards!;
    const iterator = async (
      ShardIteratorType: 'TRIM_HORIZON' | 'LATEST' | 'AT_SEQUENCE_NUMBER',
      SequenceNumber?: string,
    ) =>
      (
        await client.send(
          new GetShardIteratorCommand({
            StreamArn: stream,
            ShardId: shard!.ShardId,
            ShardIteratorType,
            SequenceNumber,
          }),
        )
      ).ShardIterator;
    const records = (ShardIterator: string | undefined) =>
      client.send(new GetRecordsCommand({ ShardIterator }));
    const first = await records(await iterator('TRIM_HORIZON'));
    expect(first.Records).toHaveLength(1);
    expect(first.Records![0]!.dynamodb?.ApproximateCreationDateTime).toBeInstanceOf(Date);
    expect(first.Records![0]).not.toHaveProperty('eventSourceARN');
    const latest = await iterator('LATEST');
    put(key('2'));
    expect((await records(latest)).Records).toHaveLength(1);
    expect((await records(first.NextShardIterator)).Records).toHaveLength(1);
    const at = await iterator('AT_SEQUENCE_NUMBER', first.Records![0]!.dynamodb!.SequenceNumber);
    expect((await records(at)).Records).toHaveLength(2);
    put({ ...key('3'), ttl: N(Math.floor(here.clock.now() / 1000)) });
    here.clock.advance(25 * 60 * 1000);
    const deleted = (await records(await iterator('TRIM_HORIZON'))).Records!.at(-1)!;
    expect(deleted.userIdentity).toEqual({ Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' });
    await expect(records(first.NextShardIterator)).rejects.toBeInstanceOf(ExpiredIteratorException);
    here.clock.advance(25 * HOUR);
    await expect(iterator('AT_SEQUENCE_NUMBER', '100000000000000000001')).rejects.toMatchObject({
      name: 'TrimmedDataAccessException',
    });
    await close();
  });
});
