import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock } from '../../../lib/local/clock.ts';
import { FakeQueues } from './fake-queue.ts';
import { bodyOf, LambdaHouse } from './lambda-house.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:incoming';

describe('a queue that feeds a function', () => {
  let house: LambdaHouse;
  let queues: FakeQueues;
  let batches: any[][];
  let result: (records: any[]) => unknown;
  const map = (properties: Record<string, unknown> = {}) =>
    house.deploy('AWS::Lambda::EventSourceMapping', 'Mapping', {
      ...{ EventSourceArn: queue, FunctionName: 'batch' },
      ...properties,
    });
  /** Lets time pass and the mapping look again afterwards. */
  const pass = async (ms: number) => {
    house.cloud.clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
    house.cloud.clock.advance(1_000);
  };
  const emptied = () => vi.waitFor(() => expect(queues.bodies(queue)).toEqual([]), 5_000);
  const ids = () => batches.map((records) => records.map(({ messageId }) => messageId));

  beforeEach(async () => {
    const clock = new Clock();
    queues = new FakeQueues(clock);
    house = await LambdaHouse.open({ clock }, { queues });
    batches = [];
    result = () => ({ result: null });
    house.answer = (request, response) => {
      void bodyOf(request).then(({ Records }) => {
        batches.push(Records);
        response.end(JSON.stringify(result(Records)));
      });
    };
    await house.addFunction('batch');
  });
  afterEach(() => house.close());

  it('hands over the exact event and deletes what was handled', async () => {
    await map({ BatchSize: 5 });
    queues.put(queue, 'm1', '{"a":1}');
    house.lambda.start();
    await vi.waitFor(() => expect(queues.bodies(queue)).toEqual([]), 5_000);
    expect(batches).toEqual([
      [
        {
          messageId: 'm1',
          receiptHandle: 'm1#1',
          body: '{"a":1}',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: '1',
            SenderId: 'someone',
            ApproximateFirstReceiveTimestamp: '2',
          },
          messageAttributes: {
            kind: { stringValue: 'test', dataType: 'String', stringListValues: [], binaryListValues: [] },
          },
          md5OfBody: 'bb6cb5c68df4652941caf652a366f2d8',
          eventSource: 'aws:sqs',
          eventSourceARN: queue,
          awsRegion: 'us-east-1',
        },
      ],
    ]);
    expect(queues.callers[0]).toMatchObject({ kind: 'role', roleArn: 'arn:aws:iam::000000000000:role/doer' });
  });

  it('leaves what the handler reports as failed until its visibility timeout ends', async () => {
    await map({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    for (const id of ['a', 'b', 'c']) queues.put(queue, id, id);
    result = () => ({ result: { batchItemFailures: [{ itemIdentifier: 'b' }] } });
    house.lambda.start();
    await vi.waitFor(() => expect(queues.bodies(queue)).toEqual(['b']), 5_000);
    result = () => ({ result: { batchItemFailures: [] } });
    house.cloud.clock.advance(29_000);
    expect(ids()).toEqual([['a', 'b', 'c']]);
    await pass(3_000);
    await emptied();
    expect(ids()).toEqual([['a', 'b', 'c'], ['b']]);
    expect(batches[1]![0].attributes.ApproximateReceiveCount).toBe('2');
  });

  it.each([
    ['throws', { fail: 'no' }],
    ['names an unknown item', { result: { batchItemFailures: [{ itemIdentifier: 'z' }] } }],
    ['names none', { result: { batchItemFailures: [{ itemIdentifier: '' }] } }],
    ['answers another form', { result: { batchItemFailures: [{ id: 'a' }] } }],
    ['answers text', { result: 'ok' }],
  ])('keeps the whole batch when the handler %s', async (_, answer) => {
    await map({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    for (const id of ['a', 'b']) queues.put(queue, id, id);
    result = () => answer;
    house.lambda.start();
    await vi.waitFor(() => expect(ids()).toEqual([['a', 'b']]), 5_000);
    result = () => ({ result: {} });
    await pass(31_000);
    await emptied();
    expect(ids()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('deletes what its filter does not want, unseen', async () => {
    await map({ FilterCriteria: { Filters: [{ Pattern: '{"body":{"kind":["mail"]}}' }] } });
    queues.put(queue, 'a', '{"kind":"other"}');
    queues.put(queue, 'b', '{"kind":"mail"}');
    queues.put(queue, 'c', 'no JSON');
    house.lambda.start();
    await vi.waitFor(() => expect(queues.bodies(queue)).toEqual([]), 5_000);
    expect(ids()).toEqual([['b']]);
  });

  it('gathers a large batch over its window', async () => {
    await map({ BatchSize: 25, MaximumBatchingWindowInSeconds: 2 });
    for (let number = 0; number < 30; number++) queues.put(queue, `m${number}`, 'x');
    house.lambda.start();
    await vi.waitFor(() => expect(batches[0]).toHaveLength(25), 5_000);
    const timer = setInterval(() => house.cloud.clock.advance(100), 5);
    await emptied().finally(() => clearInterval(timer));
    expect(batches.map((records) => records.length)).toEqual([25, 5]);
  });

  it('splits what would not fit in 6 MB', async () => {
    await map();
    for (let number = 0; number < 8; number++) queues.put(queue, `m${number}`, 'x'.repeat(1_000_000));
    house.lambda.start();
    await vi.waitFor(() => expect(queues.bodies(queue)).toEqual([]), 5_000);
    expect(batches.map((records) => records.length)).toEqual([6, 2]);
  });

  it('is not created without the grants of the role, naming the one that is missing', async () => {
    house.cloud.deny = ({ action }) => action === 'sqs:DeleteMessage';
    await expect(map()).rejects.toThrow(/Mapping: .* permissions to call DeleteMessage on SQS .*incoming/);
    expect(house.cloud.asked.at(-1)!.caller).toMatchObject({ kind: 'role', functionName: 'batch' });
  });

  it('is not created for a queue that gives messages back before the function must end', async () => {
    await house.addFunction('batch', { FunctionName: 'slow', Timeout: 31 });
    await expect(map({ FunctionName: 'slow' })).rejects.toThrow(
      'Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds',
    );
  });

  it.each([
    [{ BatchSize: 11 }, /MaximumBatchingWindowInSeconds/],
    [{ StartingPosition: 'LATEST' }, /for streams/],
    [{ FilterCriteria: { Filters: [{ Pattern: '{"body":{"a":[{"wildcard":"*"}]}}' }] } }, /wildcard/],
    [{ EventSourceArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/x' }, /only SQS queues/],
  ])('refuses %j', async (properties, reason) => {
    await expect(map(properties)).rejects.toThrow(reason);
  });
});
