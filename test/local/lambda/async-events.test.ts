import { afterEach, describe, expect, it, vi } from 'vitest';
import { Clock } from '../../../lib/local/clock.ts';
import { removeHome } from '../../support/service-endpoint.ts';
import { FakeQueues } from './fake-queue.ts';
import { bodyOf, LambdaHouse, operator } from './lambda-house.ts';

const dlq = 'arn:aws:sqs:us-east-1:000000000000:failed';

describe('asynchronous events', () => {
  let house: LambdaHouse;
  const seen: unknown[] = [];
  const failing = (target: LambdaHouse) => {
    seen.length = 0;
    target.answer = (request, response) => {
      void bodyOf(request).then((event) => {
        seen.push(event);
        response.end('{"fail":"not today"}');
      });
    };
  };
  const send = (arn: string, event: unknown) => house.lambda.invoke(arn, event, operator, { type: 'event' });
  afterEach(() => house.close());

  it('are tried three times, a minute and two apart, and then sent to the destination', async () => {
    const clock = new Clock();
    const queues = new FakeQueues(clock);
    house = await LambdaHouse.open({ clock }, { queues });
    failing(house);
    const arn = await house.addFunction('batch');
    await house.deploy('AWS::Lambda::EventInvokeConfig', 'Config', {
      FunctionName: 'batch',
      Qualifier: '$LATEST',
      DestinationConfig: { OnFailure: { Destination: dlq } },
    });
    house.lambda.start();
    const { requestId, status } = await send(arn, { n: 1 });
    expect(status).toBe(202);
    const failures = (count: number) =>
      vi.waitFor(
        () => expect(house.cloud.printed.filter((line) => line.includes('not today'))).toHaveLength(count),
        5000,
      );
    await failures(1);
    clock.advance(59_000);
    expect(seen).toHaveLength(1);
    clock.advance(1_100);
    await failures(2);
    clock.advance(121_000);
    await failures(3);
    await vi.waitFor(() => expect(queues.bodies(dlq)).toHaveLength(1));
    expect(JSON.parse(queues.bodies(dlq)[0]!)).toEqual({
      version: '1.0',
      timestamp: expect.stringMatching(/^\d{4}-/),
      requestContext: {
        requestId,
        functionArn: `${arn}:$LATEST`,
        condition: 'RetriesExhausted',
        approximateInvokeCount: 3,
      },
      requestPayload: { n: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'Error', errorMessage: 'not today', trace: expect.any(Array) },
    });
    expect(queues.callers).toEqual([expect.objectContaining({ kind: 'role', functionName: 'batch' })]);
  });

  it('are handled after a restart when they were accepted before it', async () => {
    house = await LambdaHouse.open();
    const { home } = house.cloud;
    const before = house;
    // Not started: accepted, not yet handled.
    await before.addFunction('batch');
    await send('batch', { n: 2 });
    await before.close({ keepHome: true });
    house = await LambdaHouse.open({ home });
    failing(house);
    await house.addFunction('batch');
    house.lambda.start();
    await vi.waitFor(() => expect(seen).toEqual([{ n: 2 }]), 5_000);
  });

  it('go with a function that left the template', async () => {
    house = await LambdaHouse.open();
    const { home } = house.cloud;
    await house.addFunction('batch');
    await send('batch', { n: 4 });
    await house.close({ keepHome: true });
    house = await LambdaHouse.open({ home });
    house.lambda.start();
    await house.close({ keepHome: true });
    house = await LambdaHouse.open({ home });
    failing(house);
    const arn = await house.addFunction('batch');
    house.lambda.start();
    await house.call(arn, { n: 5 });
    expect(seen).toEqual([{ n: 5 }]);
  });

  it('need a role that may send to their destination', async () => {
    house = await LambdaHouse.open();
    await house.addFunction('batch');
    house.cloud.deny = ({ action }) => action === 'sqs:SendMessage';
    const config = {
      ...{ FunctionName: 'batch', Qualifier: '$LATEST' },
      DestinationConfig: { OnFailure: { Destination: dlq } },
    };
    await expect(house.deploy('AWS::Lambda::EventInvokeConfig', 'C', config)).rejects.toThrow(/SendMessage/);
  });

  it('are kept when the cloud stops while they are being handled', async () => {
    house = await LambdaHouse.open();
    const { home } = house.cloud;
    const held = vi.fn();
    house.answer = held;
    await house.addFunction('batch', { Timeout: 60 });
    house.lambda.start();
    await send('batch', { n: 3 });
    await vi.waitFor(() => expect(held).toHaveBeenCalled(), 5_000);
    await house.close({ keepHome: true });
    house = await LambdaHouse.open({ home });
    failing(house);
    await house.addFunction('batch');
    house.lambda.start();
    await vi.waitFor(() => expect(seen).toEqual([{ n: 3 }]), 5_000);
    await removeHome(house.cloud);
  });
});
