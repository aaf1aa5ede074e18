import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import type { Caller } from '../../../lib/local/cloud.ts';
import { Iam } from '../../../lib/local/iam/iam.ts';
import { LambdaHouse, operator } from './lambda-house.ts';

let house: LambdaHouse;
beforeAll(async () => {
  house = await LambdaHouse.open();
});
afterAll(() => house.close());

describe('deploying a function', () => {
  const deploy = (properties: Record<string, unknown>) => house.addFunction('misbehave', properties);

  it.each([
    [{ Runtime: 'nodejs22.x' }, /nodejs24.x/],
    [{ ReservedConcurrentExecutions: 1 }, /low concurrency quota/],
    [{ SnapStart: { ApplyOn: 'None' } }, /SnapStart/],
    [{ Handler: 'index' }, /index.handler/],
    [{ Timeout: 901 }, /900/],
    [{ Environment: { Variables: { AWS_REGION: 'here' } } }, /misbehave: .*reserved keys.*AWS_REGION/],
    [{ Environment: { Variables: { LONG: 'x'.repeat(4093) } } }, /exceeded the 4KB limit/],
  ])('refuses %j', async (properties, reason) => {
    await expect(deploy(properties)).rejects.toThrow(reason);
  });

  it('takes 4 KB of environment', async () => {
    await expect(deploy({ Environment: { Variables: { LONG: 'x'.repeat(4092) } } })).resolves.toContain(
      ':function:',
    );
  });

  it('needs code and a role that Lambda may assume', async () => {
    await expect(house.addFunction('nowhere')).rejects.toThrow(/nowhere: there is no .*nowhere.ts/);
    const properties = { Handler: 'index.handler', Runtime: 'nodejs24.x', Role: 'r' };
    await expect(house.deploy('AWS::Lambda::Function', 'Bare', properties)).rejects.toThrow(
      /Bare: .*posthorn:entry/,
    );
    const issueKeys = () => {
      throw new AwsError('AccessDenied', 'the role does not trust lambda.amazonaws.com', { status: 403 });
    };
    const strict = await LambdaHouse.open({}, { issueKeys });
    await expect(strict.addFunction('counter')).rejects.toThrow(/counter: the role does not trust/);
    await strict.close();
  });

  it('runs the bundle that would be deployed when asked to', async () => {
    const assembly = join(house.cloud.home, 'cdk.out');
    mkdirSync(join(assembly, 'asset.1'), { recursive: true });
    writeFileSync(
      join(assembly, 'asset.1', 'index.mjs'),
      "export const handler = async () => 'from the bundle';",
    );
    const bundled = await LambdaHouse.open({}, { code: { project: '/', bundles: assembly } });
    const properties = { Handler: 'index.handler', Runtime: 'nodejs24.x', Role: 'r' };
    const metadata = { 'aws:asset:path': 'asset.1', 'posthorn:entry': 'counter.ts' };
    await bundled.deploy('AWS::Lambda::Function', 'Bundled', properties, metadata);
    expect((await bundled.call('Bundled')).payload).toBe('from the bundle');
    await bundled.close();
  });
});

describe('invoking', () => {
  const topic = 'arn:aws:sns:us-east-1:000000000000:mail';
  const service = (sourceArn: string, sourceAccount = '000000000000'): Caller => {
    return { kind: 'service', service: 'sns.amazonaws.com', sourceArn, sourceAccount };
  };

  it('takes a service with a permission for its source, and no other', async () => {
    const strict = await LambdaHouse.open();
    const iam = new Iam({ ...strict.cloud, print: () => {} });
    strict.cloud.authorize = (access) => iam.authorize(access);
    const arn = await strict.addFunction('counter');
    const attempt = (caller: Caller) => strict.lambda.invoke(arn, {}, caller, { type: 'sync' });
    await expect(attempt(service(topic))).rejects.toMatchObject({ code: 'AccessDenied', status: 403 });
    await strict.deploy('AWS::Lambda::Permission', 'Permission', {
      Action: 'lambda:InvokeFunction',
      FunctionName: arn,
      Principal: 'sns.amazonaws.com',
      SourceArn: 'arn:aws:sns:us-east-1:000000000000:ma*',
      SourceAccount: '000000000000',
    });
    await expect(attempt(service(topic))).resolves.toMatchObject({ status: 200 });
    await expect(attempt(service(topic.replace('mail', 'other')))).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    await expect(attempt(service(topic, '111111111111'))).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(
      attempt({ ...service(topic), service: 'events.amazonaws.com' } as Caller),
    ).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    expect(strict.cloud.calls.map(({ error }) => error ?? 'ok')).toEqual([
      'AccessDenied',
      'ok',
      'AccessDenied',
      'AccessDenied',
      'AccessDenied',
    ]);
    await strict.close();
  });

  it('holds the resource policy to 20 KB', async () => {
    const arn = await house.addFunction('counter', { FunctionName: 'popular' });
    const permit = (number: number) =>
      house.deploy('AWS::Lambda::Permission', `Permission${number}`, {
        ...{ Action: 'lambda:InvokeFunction', FunctionName: arn, Principal: 'sns.amazonaws.com' },
        SourceArn: `${topic}-${'x'.repeat(200)}`,
      });
    const many = async () => {
      for (let number = 0; number < 50; number++) await permit(number);
    };
    await expect(many()).rejects.toMatchObject({ code: 'PolicyLengthExceededException' });
  });

  it('refuses what is too large and what is not there', async () => {
    const arn = await house.addFunction('misbehave', { FunctionName: 'sized' });
    const event = (size: number) => ({
      do: 'answer',
      pad: 'x'.repeat(size - '{"do":"answer","pad":""}'.length),
    });
    const invoke = (size: number, type: 'sync' | 'event') =>
      house.lambda.invoke(arn, event(size), operator, { type });
    const limit = 6 * 1024 * 1024;
    await expect(invoke(limit, 'sync')).resolves.toMatchObject({ payload: 'null' });
    await expect(invoke(limit + 1, 'sync')).rejects.toMatchObject({
      code: 'RequestTooLargeException',
      status: 413,
    });
    await expect(invoke(1024 * 1024 + 1, 'event')).rejects.toMatchObject({ status: 413 });
    await expect(house.call('nobody')).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      status: 404,
    });
  });
});

describe('the Invoke operation', () => {
  const post = (name: string, body: string, headers: Record<string, string> = {}) =>
    house.lambda.handle({
      method: 'POST',
      path: `/2015-03-31/functions/${name}/invocations`,
      query: new URLSearchParams(),
      headers,
      body: Readable.from([Buffer.from(body)]),
      caller: operator,
    });

  it('answers the result, the failure and the refusal as the REST API does', async () => {
    const arn = await house.addFunction('misbehave', { FunctionName: 'rest' });
    const good = await post(encodeURIComponent(`${arn}:$LATEST`), '{"do":"answer","value":{"a":1}}');
    expect(good).toMatchObject({
      status: 200,
      body: '{"a":1}',
      headers: { 'x-amz-executed-version': '$LATEST' },
    });
    const bad = await post('rest', '{"do":"throw"}');
    expect(bad).toMatchObject({ status: 200, headers: { 'x-amz-function-error': 'Unhandled' } });
    const accepted = await post('rest', '{}', { 'x-amz-invocation-type': 'Event' });
    expect(accepted).toMatchObject({ status: 202, body: '' });
    const unknown = await post('nobody', '{}');
    expect(unknown).toMatchObject({
      status: 404,
      headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
    });
    expect(await post('rest', '{')).toMatchObject({
      status: 400,
      headers: { 'x-amzn-errortype': 'InvalidRequestContentException' },
    });
    expect(await post('rest', 'x'.repeat(6 * 1024 * 1024 + 1))).toMatchObject({ status: 413 });
  });
});
