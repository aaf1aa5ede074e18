import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock } from '../../../lib/local/clock.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import type { Cloud } from '../../../lib/local/cloud.ts';
import { FakeQueues } from './fake-queue.ts';
import { FakeStream } from './fake-stream.ts';
import { bodyOf, LambdaHouse } from './lambda-house.ts';

const arn = 'arn:aws:dynamodb:us-east-1:000000000000:table/mail/stream/2026-11-21T00:00:00.000';
const dlq = 'arn:aws:sqs:us-east-1:000000000000:failed';

describe('a stream that feeds a function', () => {
  let house: LambdaHouse;
  let stream: FakeStream;
  let queues: FakeQueues;
  let clock: Clock;
  let batches: string[][];
  let result: (keys: string[]) => unknown;

  const open = async (overrides: Partial<Cloud> = {}) => {
    clock = new Clock();
    queues = new FakeQueues(clock);
    house = await LambdaHouse.open({ clock, ...overrides }, { streams: stream, queues });
    house.answer = (request, response) => {
      void bodyOf(request).then(({ Records }) => {
        const keys = (Records as any[]).map((record) => record.dynamodb.Keys.pk.S as string);
        batches.push(keys);
        response.end(JSON.stringify(result(keys)));
      });
    };
    await house.addFunction('batch');
  };
  const map = async (properties: Record<string, unknown> = {}) => {
    await house.deploy('AWS::Lambda::EventSourceMapping', 'Mapping', {
      ...{ EventSourceArn: arn, FunctionName: 'batch', StartingPosition: 'TRIM_HORIZON' },
      ...properties,
    });
    house.lambda.start();
  };
  const put = (...keys: string[]) => keys.forEach((key) => stream.put(key, 'event', clock.now()));
  const came = (expected: string[][]) => vi.waitFor(() => expect(batches).toEqual(expected), 5_000);
  /** Lets retries come without waiting for them. */
  const hurry = async (expected: string[][]) => {
    const timer = setInterval(() => clock.advance(1_000), 5);
    await came(expected).finally(() => clearInterval(timer));
  };

  beforeEach(async () => {
    stream = new FakeStream();
    batches = [];
    result = () => ({ result: null });
    await open();
  });
  afterEach(() => house.close());

  it('reads in order, in batches, and hands over the records as they are', async () => {
    put('a', 'b', 'c');
    let seen: any;
    const { answer } = house;
    house.answer = (request, response) => {
      void bodyOf(request).then(({ Records }) => {
        seen ??= Records[0];
        batches.push(Records.map((record: any) => record.eventID));
        response.end('{}');
      });
    };
    await map({ BatchSize: 2 });
    await came([['a', 'b'], ['c']]);
    house.answer = answer;
    put('d');
    await came([['a', 'b'], ['c'], ['d']]);
    expect(seen).toEqual({ ...stream.records[0], eventSourceARN: arn });
  });

  it('goes on after a restart where it was, and starts LATEST behind the newest', async () => {
    put('a');
    await map({ StartingPosition: 'LATEST' });
    await vi.waitFor(() => expect(house.cloud.asked.length).toBeGreaterThan(0));
    put('b');
    await came([['b']]);
    const { home } = house.cloud;
    await house.close({ keepHome: true });
    await open({ home });
    put('c');
    await map({ StartingPosition: 'LATEST' });
    await came([['b'], ['c']]);
  });

  it('gives a failing batch again before it goes on, and never skips it', async () => {
    let failures = 2;
    result = () => (failures-- > 0 ? { fail: 'no' } : { result: null });
    put('a', 'b');
    await map({ BatchSize: 1 });
    await hurry([['a'], ['a'], ['a'], ['b']]);
  });

  it('is read again from the batch in hand when the cloud stopped', async () => {
    result = (keys) => (keys[0] === 'b' ? { fail: 'no' } : { result: null });
    put('a', 'b');
    await map({ BatchSize: 1 });
    await vi.waitFor(() => expect(batches.slice(0, 2)).toEqual([['a'], ['b']]), 5_000);
    const { home } = house.cloud;
    await house.close({ keepHome: true });
    batches = [];
    result = () => ({ result: null });
    await open({ home });
    await map({ BatchSize: 1 });
    await came([['b']]);
  });

  it('splits a failing batch until the bad record stands alone, which goes to the destination', async () => {
    result = (keys) => (keys.includes('c') ? { fail: 'no' } : { result: null });
    put('a', 'b', 'c', 'd');
    await map({
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: dlq } },
    });
    await hurry([['a', 'b', 'c', 'd'], ['a', 'b'], ['c', 'd'], ['c'], ['c'], ['d']]);
    await vi.waitFor(() => expect(queues.bodies(dlq)).toHaveLength(1));
    const [{ dynamodb: bad }] = [stream.records[2]!];
    const arrival = new Date(bad.ApproximateCreationDateTime * 1000).toISOString();
    expect(JSON.parse(queues.bodies(dlq)[0]!)).toEqual({
      requestContext: {
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:batch',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: expect.stringMatching(/Z$/),
      DDBStreamBatchInfo: {
        shardId: expect.stringMatching(/^shardId-/),
        startSequenceNumber: '102',
        endSequenceNumber: '102',
        approximateArrivalOfFirstRecord: arrival,
        approximateArrivalOfLastRecord: arrival,
        batchSize: 1,
        streamArn: arn,
      },
    });
  });

  it('goes on from the first record that the handler reports', async () => {
    const reported = {
      result: { batchItemFailures: [{ itemIdentifier: '102' }, { itemIdentifier: '101' }] },
    };
    result = (keys) => (keys.length === 3 ? reported : { result: null });
    put('a', 'b', 'c');
    await map({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    await hurry([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('gives up what is too old', async () => {
    stream.put('old', 'event', clock.now() - 120_000);
    put('new');
    await map({ MaximumRecordAgeInSeconds: 60, DestinationConfig: { OnFailure: { Destination: dlq } } });
    await came([['new']]);
    expect(JSON.parse(queues.bodies(dlq)[0]!).requestContext.condition).toBe('RecordAgeExceeded');
  });

  it('hands over only what a filter wants', async () => {
    const wanted = { dynamodb: { NewImage: { type: { S: ['event'] } } }, eventName: ['INSERT'] };
    stream.put('x', 'message');
    put('a');
    stream.put('y', 'message');
    put('b');
    await map({ FilterCriteria: { Filters: [{ Pattern: JSON.stringify(wanted) }] } });
    await came([['a', 'b']]);
  });

  it('gives every batch twice in bad weather', async () => {
    await house.close();
    await open({ weather: badWeather(1, { duplicate: 1 }) });
    put('a');
    await map();
    await came([['a'], ['a']]);
  });

  it('is not created without the grants of the role', async () => {
    house.cloud.deny = ({ action }) => action === 'dynamodb:GetRecords';
    await expect(map()).rejects.toThrow(/Mapping: .*GetRecords on DYNAMODB/);
    house.cloud.deny = ({ action }) => action === 'sqs:SendMessage';
    await expect(map({ DestinationConfig: { OnFailure: { Destination: dlq } } })).rejects.toThrow(
      /SendMessage/,
    );
    house.cloud.deny = () => false;
    await expect(map({ StartingPosition: undefined })).rejects.toThrow(/StartingPosition/);
  });
});
