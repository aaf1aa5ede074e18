import { EventBridgeClient, PutEventsCommand, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import type { Caller, Cloud } from '../../../lib/local/cloud.ts';
import { Events } from '../../../lib/local/events/events.ts';
import { readSchedule } from '../../../lib/local/events/schedule.ts';
import { targetInput } from '../../../lib/local/events/target-input.ts';
import { Sqs } from '../../../lib/local/sqs/sqs.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import {
  clientSettings,
  deploy,
  removeHome,
  serve,
  stubCloud,
  testRole,
} from '../../support/service-endpoint.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

let cloud: StubCloud;
let sqs: Sqs;
let events: Events;
let client: EventBridgeClient;
let close: () => Promise<void>;
const deliver = vi.fn<(arn: string, event: unknown, caller: Caller) => Promise<void>>();
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f';

async function start(overrides: Partial<Cloud> = {}) {
  deliver.mockReset().mockResolvedValue();
  cloud = await stubCloud(overrides);
  sqs = new Sqs(cloud, () => 'http://localhost');
  events = new Events(cloud, sqs, { deliver });
  const endpoint = await serve(events);
  close = endpoint.close;
  client = new EventBridgeClient(clientSettings(endpoint.url));
  await deploy(events, 'AWS::Events::EventBus', { Name: 'mail' });
  events.start();
}
async function stop() {
  client.destroy();
  await close();
  await events.stop();
  await sqs.stop();
  await removeHome(cloud);
}
beforeEach(() => start());
afterEach(stop);

const queue = async (name: string) =>
  (await deploy(sqs, 'AWS::SQS::Queue', { QueueName: name })).attributes!['Arn'] as string;
const rule = async (properties: object, name = 'rule') =>
  (await deploy(events, 'AWS::Events::Rule', properties, name)).attributes!['Arn'] as string;
const put = (...entries: object[]) => client.send(new PutEventsCommand({ Entries: entries }));
const entry = (more = {}) => ({
  Source: 'posthorn',
  DetailType: 'message.received',
  Detail: '{"id":"msg_1"}',
  EventBusName: 'mail',
  ...more,
});
const received = (queueArn: string) => sqs.receive({ caller: testRole, queueArn, max: 10, waitMs: 0 });
const settled = (times: number) =>
  vi.waitFor(() => expect(deliver).toHaveBeenCalledTimes(times), { interval: 5 });
const onMail = { EventBusName: 'mail', EventPattern: { source: ['posthorn'] } };
const toFunction = (more = {}) => ({ Targets: [{ Arn: functionArn, Id: 'f', ...more }] });

describe('PutEvents', () => {
  it('brings an event to the functions and queues of the rules it matches', async () => {
    const queueArn = await queue('heard');
    const ruleArn = await rule({
      ...onMail,
      Targets: [
        { Arn: functionArn, Id: 'f' },
        { Arn: queueArn, Id: 'q', InputPath: '$.detail' },
      ],
    });
    await rule({ ...onMail, EventPattern: { source: ['other'] }, ...toFunction() }, 'other');
    await rule({ ...onMail, State: 'DISABLED', ...toFunction() }, 'off');
    await rule({ EventPattern: { source: ['posthorn'] }, ...toFunction() }, 'other-bus');
    const { Entries, FailedEntryCount } = await put(
      entry({ Resources: ['arn:inbox'], Time: new Date('2030-01-02T03:04:05Z') }),
    );
    await settled(1);
    const caller = {
      kind: 'service',
      service: 'events.amazonaws.com',
      sourceArn: ruleArn,
      sourceAccount: cloud.account,
    };
    expect(FailedEntryCount).toBe(0);
    expect(deliver).toHaveBeenCalledWith(
      functionArn,
      {
        version: '0',
        id: Entries![0]!.EventId,
        'detail-type': 'message.received',
        source: 'posthorn',
        account: cloud.account,
        time: '2030-01-02T03:04:05Z',
        region: 'us-east-1',
        resources: ['arn:inbox'],
        detail: { id: 'msg_1' },
      },
      caller,
    );
    await vi.waitFor(async () =>
      expect((await received(queueArn)).map(({ body }) => body)).toEqual(['{"id":"msg_1"}']),
    );
    expect(cloud.asked.find(({ action }) => action === 'sqs:SendMessage')?.caller).toEqual(caller);
  });

  it('answers for each entry', async () => {
    const answer = await put(
      entry(),
      entry({ Detail: '[1]' }),
      entry({ Detail: '{' }),
      entry({ Source: 'aws.ses' }),
      entry({ DetailType: 'x'.repeat(129) }),
      entry({ Source: undefined }),
      entry({ EventBusName: 'none' }),
      entry({ EventBusName: `arn:aws:events:us-east-1:${cloud.account}:event-bus/mail` }),
    );
    expect(answer.FailedEntryCount).toBe(6);
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'MalformedDetail',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      undefined,
    ]);
  });

  it('has limits', async () => {
    const half = JSON.stringify({ x: 'x'.repeat(600 * 1024) });
    await expect(put(entry({ Detail: half }), entry({ Detail: half }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    expect((await put(entry({ Detail: half }))).FailedEntryCount).toBe(0);
    await expect(put(...Array.from({ length: 11 }, () => entry()))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(client.send(new PutRuleCommand({ Name: 'r' }))).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('PutRule'),
    });
  });

  it('asks IAM for the bus, the source and the type', async () => {
    const Statement = { Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: '*' };
    await deploy(events, 'AWS::Events::EventBusPolicy', {
      EventBusName: 'mail',
      StatementId: 's',
      Statement,
    });
    await put(entry());
    expect(cloud.asked.at(-1)).toMatchObject({
      action: 'events:PutEvents',
      resource: `arn:aws:events:us-east-1:${cloud.account}:event-bus/mail`,
      context: { 'events:source': 'posthorn', 'events:detail-type': 'message.received' },
      resourcePolicy: { Statement: [{ ...Statement, Sid: 's' }] },
    });
    cloud.deny = () => true;
    await expect(put(entry())).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(cloud.calls.at(-1)).toEqual({
      service: 'events',
      action: 'PutEvents',
      by: 'tester',
      error: 'AccessDenied',
    });
  });
});

describe('a service event', () => {
  it('comes to rules on the default bus', async () => {
    await rule({ EventPattern: { source: ['aws.ses'] }, ...toFunction() });
    const id = events.emit({
      source: 'aws.ses',
      detailType: 'Email Bounced',
      detail: { a: 1 },
      resources: ['arn:x'],
    });
    await settled(1);
    expect(deliver.mock.calls[0]![1]).toMatchObject({
      id,
      source: 'aws.ses',
      'detail-type': 'Email Bounced',
    });
  });
});

describe('a target that fails', () => {
  it('is tried again with growing waits, then its event becomes a dead letter', async () => {
    const dead = await queue('dead');
    deliver.mockRejectedValue(new Error('busy'));
    const RetryPolicy = { MaximumRetryAttempts: 2 };
    await rule({ ...onMail, ...toFunction({ RetryPolicy, DeadLetterConfig: { Arn: dead } }) });
    await put(entry());
    for (const times of [1, 2, 3]) {
      await settled(times);
      await new Promise((resolve) => setImmediate(resolve));
      expect(deliver).toHaveBeenCalledTimes(times);
      cloud.clock.advance(10_000);
    }
    const [letter] = await vi.waitFor(async () => {
      const letters = await received(dead);
      expect(letters).toHaveLength(1);
      return letters;
    });
    expect(JSON.parse(letter!.body)).toMatchObject({ detail: { id: 'msg_1' } });
    expect(letter!.messageAttributes['ERROR_MESSAGE']?.StringValue).toBe('busy');
    expect(letter!.messageAttributes['RETRY_ATTEMPTS']?.StringValue).toBe('2');
  });

  it('for lack of permission makes a dead letter at once', async () => {
    const [target, dead] = [await queue('target'), await queue('dead')];
    cloud.deny = ({ resource, caller }) => resource === target && caller.kind === 'service';
    await rule({ ...onMail, Targets: [{ Arn: target, Id: 'q', DeadLetterConfig: { Arn: dead } }] });
    await put(entry());
    const letter = await vi.waitFor(async () => {
      const [first] = await received(dead);
      return first!.messageAttributes;
    });
    expect(letter['ERROR_CODE']?.StringValue).toBe('NO_PERMISSIONS');
    expect(await received(target)).toEqual([]);
  });

  it('without dead letters loses the event, and the terminal says so', async () => {
    deliver.mockRejectedValue(new AwsError('AccessDeniedException', 'no permission', { status: 403 }));
    await rule({ ...onMail, ...toFunction() });
    await put(entry());
    await vi.waitFor(() => expect(cloud.printed.join()).toContain('lost'));
    expect(deliver).toHaveBeenCalledTimes(1);
  });

  it('gets its event after a restart', async () => {
    deliver.mockRejectedValue(new Error('down'));
    await rule({ ...onMail, ...toFunction() });
    await put(entry());
    await settled(1);
    await events.stop();
    events = new Events(cloud, sqs, { deliver: deliver.mockResolvedValue() });
    events.start();
    cloud.clock.advance(10_000);
    await settled(2);
    expect(deliver.mock.calls[1]![1]).toMatchObject({ detail: { id: 'msg_1' } });
  });

  it('or comes late or twice in bad weather gets everything', async () => {
    await stop();
    await start({ weather: badWeather(5, { duplicate: 0.4, delay: 0.4, 'partial-batch': 0.2 }) });
    await rule({ ...onMail, ...toFunction() });
    const accepted: string[] = [];
    for (let index = 0; index < 20; index++) {
      const { Entries } = await put(entry());
      const id = Entries![0]!.EventId;
      if (id === undefined) expect(Entries![0]!.ErrorCode).toBe('InternalFailure');
      else accepted.push(id);
    }
    expect(accepted.length).toBeLessThan(20);
    const heard = () => deliver.mock.calls.map(([, event]) => (event as { id: string }).id);
    await vi.waitFor(
      () => {
        cloud.clock.advance(1000);
        expect(new Set(heard())).toEqual(new Set(accepted));
      },
      { interval: 5 },
    );
    await vi.waitFor(() => expect(heard().length).toBeGreaterThan(accepted.length), { interval: 5 });
  });
});

describe('a schedule', () => {
  it('fires once for each minute the clock passes', async () => {
    const ruleArn = await rule({ ScheduleExpression: 'rate(1 minute)', ...toFunction() });
    for (let minute = 1; minute <= 5; minute++) {
      cloud.clock.advance(60_000);
      await settled(minute);
    }
    const times = deliver.mock.calls.map(([, event]) => Date.parse((event as { time: string }).time));
    expect(times.slice(1).map((time, index) => time - times[index]!)).toEqual([
      60_000, 60_000, 60_000, 60_000,
    ]);
    expect(deliver.mock.calls[0]![1]).toMatchObject({
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      detail: {},
      resources: [ruleArn],
    });
  });

  it('fires once for all the times that are jumped, and goes on in its rhythm', async () => {
    await rule({ ScheduleExpression: 'rate(1 minute)', ...toFunction() });
    cloud.clock.advance(24 * 60 * 60_000);
    await settled(1);
    cloud.clock.advance(59_000);
    cloud.clock.advance(1000);
    await settled(2);
    const [first, second] = deliver.mock.calls.map(([, event]) =>
      Date.parse((event as { time: string }).time),
    ) as [number, number];
    expect(second - first).toBe(24 * 60 * 60_000);
  });

  it('does not fire while its rule is disabled', async () => {
    await rule({ ScheduleExpression: 'rate(1 minute)', State: 'DISABLED', ...toFunction() });
    await rule({ ScheduleExpression: 'rate(2 minutes)', ...toFunction({ Input: '{"only":1}' }) }, 'on');
    cloud.clock.advance(2 * 60_000);
    await settled(1);
    expect(deliver.mock.calls[0]![1]).toEqual({ only: 1 });
  });

  const after = Date.parse('2030-01-01T10:30:00Z');
  it.each([
    ['rate(1 hour)', '2030-01-01T11:00:00Z'],
    ['rate(7 days)', '2030-01-08T10:00:00Z'],
    ['cron(0/15 * * * ? *)', '2030-01-01T10:45:00Z'],
    ['cron(0 12 * * ? *)', '2030-01-01T12:00:00Z'],
    ['cron(0 8 1 * ? *)', '2030-02-01T08:00:00Z'],
    ['cron(0 18 ? * MON-FRI *)', '2030-01-01T18:00:00Z'],
    ['cron(0 0 L * ? *)', '2030-01-31T00:00:00Z'],
    ['cron(0 0 ? * 2#1 *)', '2030-01-07T00:00:00Z'],
    ['cron(0 0 3W * ? *)', '2030-01-03T00:00:00Z'],
  ])('%s is next due at %s', (expression, expected) => {
    const schedule = readSchedule(expression, Date.parse('2030-01-01T10:00:00Z'));
    expect(schedule(after)).toBe(Date.parse(expected));
  });

  it.each([
    'rate(1 minutes)',
    'rate(0 minutes)',
    'rate(5 weeks)',
    'cron(* * * * * *)',
    'cron(0 12 * * ?)',
    'at(x)',
  ])('%s is not valid', (expression) => {
    expect(() => readSchedule(expression, 0)).toThrow('ScheduleExpression');
  });
});

describe('the input of a target', () => {
  const event = {
    id: 'e',
    time: 'now',
    detail: { text: 'a "quoted"\nline', list: [{ n: 1 }], 'odd name': 2 },
  };
  const nothing = { input: undefined, path: undefined, transformer: undefined };

  it.each([
    ['$.detail.list[0].n', '1'],
    ["$.detail['odd name']", '2'],
    ['$.detail.none', 'null'],
  ])('at %s is %s', (path, expected) => {
    expect(targetInput({ ...nothing, path }, event, 'arn')).toBe(expected);
  });

  it('is built from a template', () => {
    const transformer = {
      paths: { text: '$.detail.text', list: '$.detail.list', none: '$.none' },
      template:
        '{"inside":"say <text>!","outside":<text>,"list":<list>,"none":<none>,"rule":<aws.events.rule-arn>}',
    };
    expect(JSON.parse(targetInput({ ...nothing, transformer }, event, 'arn:r'))).toEqual({
      inside: 'say a "quoted"\nline!',
      outside: 'a "quoted"\nline',
      list: [{ n: 1 }],
      none: null,
      rule: 'arn:r',
    });
  });
});

describe('rule resources', () => {
  it.each([
    [{ EventBusName: 'none', EventPattern: { source: ['x'] } }, 'no event bus'],
    [{}, 'needs an EventPattern'],
    [{ EventPattern: { source: 'x' } }, 'Event pattern is not valid'],
    [{ EventBusName: 'mail', ScheduleExpression: 'rate(1 day)' }, 'only on the default'],
    [
      { EventPattern: { source: ['x'] }, Targets: [{ Arn: 'arn:aws:states:x', Id: 'i' }] },
      'only queues and functions',
    ],
    [
      { EventPattern: { source: ['x'] }, Targets: [{ Arn: functionArn, Id: 'i', InputPath: '$..x' }] },
      'JSON path',
    ],
    [{ EventPattern: { source: ['x'] }, RoleArn: 'arn' }, 'RoleArn'],
  ])('refuse %j', async (properties, message) => {
    await expect(rule(properties)).rejects.toThrow(message);
  });

  it('answer what a template asks for', async () => {
    const plain = await deploy(events, 'AWS::Events::Rule', { EventPattern: { source: ['x'] } }, 'r');
    expect(plain).toEqual({
      ref: 'r',
      attributes: { Arn: `arn:aws:events:us-east-1:${cloud.account}:rule/r` },
    });
    const onBus = await deploy(events, 'AWS::Events::Rule', onMail, 'r');
    expect(onBus.ref).toBe('mail|r');
  });
});
