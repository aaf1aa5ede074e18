import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { badWeather } from '../../../lib/local/weather.ts';
import { LambdaHouse } from './lambda-house.ts';

describe('instances of a function', () => {
  let house: LambdaHouse;
  beforeAll(async () => {
    house = await LambdaHouse.open();
  });
  afterAll(() => house.close());

  it('are one as long as it is idle', async () => {
    const arn = await house.addFunction('counter');
    const counts = [];
    for (let run = 0; run < 3; run++) counts.push((await house.call(arn)).payload.count);
    expect(counts).toEqual([1, 2, 3]);
  });

  it('are two in turn in bad weather, each with its own module state and keys', async () => {
    const stormy = await LambdaHouse.open({ weather: badWeather(1, { 'another-instance': 1 }) });
    onTestFinished(() => stormy.close());
    const arn = await stormy.addFunction('counter');
    const runs = [];
    for (let run = 0; run < 4; run++) runs.push((await stormy.call(arn, { run })).payload);
    expect(runs.map(({ count }) => count)).toEqual([1, 1, 2, 2]);
    const keys = runs.map(({ env }) => env.AWS_ACCESS_KEY_ID);
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(runs[3].event).toEqual({ run: 3 });
  });

  it('finds exactly the variables of the template and of Lambda in its environment', async () => {
    process.env['LEAK'] = 'from the process';
    const arn = await house.addFunction('counter', {
      FunctionName: 'named',
      MemorySize: 512,
      Environment: { Variables: { TABLE_NAME: 'mail', LIMIT: 5 } },
    });
    const { env } = (await house.call(arn)).payload;
    delete process.env['LEAK'];
    expect(env).toEqual({
      TABLE_NAME: 'mail',
      LIMIT: '5',
      _HANDLER: 'index.handler',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: 'named',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/named',
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      LAMBDA_TASK_ROOT: expect.stringMatching(/fixtures\/functions$/),
      TZ: ':UTC',
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_ENDPOINT_URL: house.endpoint,
      TMPDIR: expect.stringContaining(house.cloud.home),
    });
  });

  it("shows the cloud's time and resolver in every thread", async () => {
    const arn = await house.addFunction('clocks');
    const day = 24 * 3600 * 1000;
    house.cloud.clock.advance(400 * day);
    const told = (await house.call(arn)).payload;
    const now = house.cloud.clock.now();
    for (const time of [told.now, told.constructed, told.thread])
      expect(Math.abs(time - now)).toBeLessThan(20_000);
    expect(Math.abs(told.called - now)).toBeLessThan(21_000);
    expect(told.intl).toBe(String(new Date(now).getUTCFullYear()));
    expect(told.given).toBe(Date.UTC(2020, 0, 1));
    expect(told.isDate).toBe(true);
    expect(told.servers).toEqual([['127.0.0.1:5399'], ['127.0.0.1:5399']]);
  });

  it('starts more for concurrent events, up to its limit', async () => {
    const narrow = await LambdaHouse.open({}, { maxInstances: 3 });
    const arn = await narrow.addFunction('gate', { Timeout: 30 });
    const held: (() => void)[] = [];
    narrow.answer = (_, response) => void held.push(() => response.end());
    const calls = Array.from({ length: 5 }, () => narrow.call(arn));
    await vi.waitFor(() => expect(held).toHaveLength(3), 10_000);
    narrow.answer = (_, response) => void response.end();
    for (const open of held) open();
    const threads = (await Promise.all(calls)).map(({ payload }) => payload);
    expect(new Set(threads).size).toBe(3);
    await narrow.close();
  });

  it('keeps what a function writes', async () => {
    const arn = await house.addFunction('counter', { FunctionName: 'writer' });
    const { requestId } = await house.call(arn);
    await vi.waitFor(() => expect(house.lambda.logs('writer')).toEqual([`counted 1 for ${requestId}`]));
  });
});

describe('an instance that fails', () => {
  let house: LambdaHouse;
  let arn: string;
  const unhandled = (errorType: string, errorMessage: unknown) =>
    expect.objectContaining({
      status: 200,
      functionError: 'Unhandled',
      payload: expect.objectContaining({ errorType, errorMessage }),
    });

  beforeAll(async () => {
    house = await LambdaHouse.open();
    arn = await house.addFunction('misbehave', { Timeout: 1 });
  });
  afterAll(() => house.close());

  it('answers what the handler threw and goes on', async () => {
    expect(await house.call(arn, { do: 'throw' })).toEqual(unhandled('TypeError', 'thrown on purpose'));
    expect(house.cloud.printed.at(-1)).toMatch(
      /^misbehave failed: TypeError: thrown on purpose at handler .*misbehave/,
    );
    expect((await house.call(arn, { do: 'answer', value: 7 })).payload).toBe(7);
  });

  it('is replaced after what nobody caught', async () => {
    expect(await house.call(arn, { do: 'uncaught' })).toEqual(unhandled('Error', 'nobody caught'));
    expect(await house.call(arn, { do: 'reject' })).toEqual(
      unhandled('Runtime.UnhandledPromiseRejection', 'Error: nobody awaited'),
    );
    const exit = await house.call(arn, { do: 'exit' });
    expect(exit).toEqual(
      unhandled(
        'Runtime.ExitError',
        `RequestId: ${exit.requestId} Error: Runtime exited with error: exit status 3`,
      ),
    );
    for (let run = 0; run < 3; run++) {
      expect((await house.call(arn, { do: 'answer', value: run })).payload).toBe(run);
    }
    expect(house.retired.length).toBeGreaterThanOrEqual(3);
  });

  it.each(['hang', 'spin'])('is killed when the handler should %s beyond its timeout', async (wish) => {
    const result = await house.call(arn, { do: wish });
    const message = `RequestId: ${result.requestId} Error: Task timed out after 1.00 seconds`;
    expect(result).toEqual(unhandled('Sandbox.Timedout', message));
    expect((await house.call(arn, { do: 'answer', value: 1 })).payload).toBe(1);
  });

  it('is killed when it takes more memory than it has, alone', async () => {
    const hungry = await house.addFunction('misbehave', { FunctionName: 'hungry', Timeout: 30 });
    const result = await house.call(hungry, { do: 'out-of-memory' });
    const reason = 'Runtime exited with error: signal: killed';
    expect(result).toEqual(unhandled('Runtime.ExitError', `RequestId: ${result.requestId} Error: ${reason}`));
  });

  it('refuses answers that are too large or no JSON', async () => {
    const limit = 6 * 1024 * 1024 + 100;
    expect((await house.call(arn, { do: 'large', value: limit - 2 })).payload).toHaveLength(limit - 2);
    expect(await house.call(arn, { do: 'large', value: limit - 1 })).toEqual(
      unhandled(
        'Function.ResponseSizeTooLarge',
        `Response payload size exceeded maximum allowed payload size (${limit} bytes).`,
      ),
    );
    expect(await house.call(arn, { do: 'circular' })).toEqual(
      unhandled('Runtime.MarshalError', expect.stringContaining('circular')),
    );
  });

  it('tells why the handler could not be loaded', async () => {
    const broken = await house.addFunction('broken');
    expect(await house.call(broken)).toEqual(unhandled('RangeError', 'broken at load'));
    const missing = await house.addFunction('misbehave', { FunctionName: 'missing', Handler: 'index.other' });
    expect(await house.call(missing)).toEqual(
      unhandled('Runtime.HandlerNotFound', 'other is undefined or not exported'),
    );
    const callback = await house.addFunction('misbehave', {
      FunctionName: 'callback',
      Handler: 'index.callback',
    });
    expect(await house.call(callback)).toEqual(
      unhandled('Runtime.CallbackHandlerDeprecated', expect.stringContaining('nodejs24.x')),
    );
  });

  it('loses its answer, not its work, when it dies in bad weather', async () => {
    const stormy = await LambdaHouse.open({ weather: badWeather(1, { 'instance-death': 1 }) });
    let calls = 0;
    stormy.answer = (_, response) => {
      calls++;
      response.end();
    };
    const result = await stormy.call(await stormy.addFunction('gate'));
    expect(result.payload.errorType).toBe('Runtime.ExitError');
    expect(calls).toBe(1);
    await stormy.close();
  });
});

describe('a frozen instance', () => {
  it('may not call AWS, and a call is known by its key', async () => {
    const house = await LambdaHouse.open();
    const arn = await house.addFunction('stray');
    const seen: boolean[] = [];
    house.answer = (request, response) => {
      const active = house.lambda.isActive(request.url!.slice(1));
      seen.push(active);
      const call = { functionName: 'stray', service: 'sqs', request: 'POST /' };
      if (!active) house.lambda.reportStrayCall(call);
      response.writeHead(active ? 200 : 403).end();
    };
    expect((await house.call(arn, { stray: false })).payload).toBe(200);
    expect((await house.call(arn, { stray: true })).payload).toBe('answered');
    await vi.waitFor(() => expect(seen).toEqual([true, false]), 5_000);
    expect(house.lambda.strayCalls).toEqual([{ functionName: 'stray', service: 'sqs', request: 'POST /' }]);
    expect(house.cloud.printed.at(-1)).toContain(
      'stray called sqs (POST /) after its invocation had returned',
    );
    expect(house.lambda.isActive('some key of the operator')).toBe(true);
    await house.close();
  });
});
