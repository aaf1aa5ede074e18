import { CreateTopicCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import type { Caller } from '../../../lib/local/cloud.ts';
import { retryDelay } from '../../../lib/local/sns/deliveries.ts';
import { Sns } from '../../../lib/local/sns/sns.ts';
import { Sqs } from '../../../lib/local/sqs/sqs.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import type { Weather } from '../../../lib/local/weather.ts';
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
let sns: Sns;
let client: SNSClient;
let close: () => Promise<void>;
let queueArn: string;
let topicArn: string;

async function start(weather?: Weather) {
  cloud = await stubCloud(weather && { weather });
  sqs = new Sqs(cloud, () => 'http://localhost');
  sns = new Sns(cloud, sqs);
  const endpoint = await serve(sns);
  close = endpoint.close;
  client = new SNSClient(clientSettings(endpoint.url));
  queueArn = await queue('notices');
  topicArn = (await deploy(sns, 'AWS::SNS::Topic', { DisplayName: 'Mail' }, 'topic')).ref;
}
async function stop() {
  client.destroy();
  await close();
  await sns.stop();
  await sqs.stop();
  await removeHome(cloud);
}
beforeEach(() => start());
afterEach(stop);

const queue = async (name: string) =>
  (await deploy(sqs, 'AWS::SQS::Queue', { QueueName: name })).attributes!['Arn'] as string;
const subscribe = (more = {}) =>
  deploy(sns, 'AWS::SNS::Subscription', { TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn, ...more });
const received = (arn = queueArn) => sqs.receive({ caller: testRole, queueArn: arn, max: 10, waitMs: 0 });
const ses = (): Caller => ({
  kind: 'service',
  service: 'ses.amazonaws.com',
  sourceAccount: cloud.account,
  sourceArn: 'arn:aws:ses:us-east-1:000000000000:receipt-rule-set/s:receipt-rule/r',
});

describe('publishing', () => {
  it('puts the envelope of SNS into each queue', async () => {
    const { ref } = await subscribe();
    const { MessageId } = await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: '{"a":"é & +"}',
        Subject: 'Amazon SES Email Receipt Notification',
      }),
    );
    const [message] = await received();
    const envelope = JSON.parse(message!.body) as Record<string, string>;
    expect(Object.keys(envelope)).toEqual([
      'Type',
      'MessageId',
      'TopicArn',
      'Subject',
      'Message',
      'Timestamp',
      'SignatureVersion',
      'Signature',
      'SigningCertURL',
      'UnsubscribeURL',
    ]);
    expect(envelope).toMatchObject({
      Type: 'Notification',
      MessageId,
      TopicArn: topicArn,
      Message: '{"a":"é & +"}',
      Subject: 'Amazon SES Email Receipt Notification',
      SignatureVersion: '1',
      UnsubscribeURL: expect.stringContaining(ref),
    });
    expect(envelope['Timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Buffer.from(envelope['Signature']!, 'base64')).toHaveLength(256);
  });

  it('hands a raw subscription the message and its attributes as they are', async () => {
    await subscribe({ RawMessageDelivery: true });
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'mail' } };
    await client.send(new PublishCommand({ TopicArn: topicArn, Message: 'bare', MessageAttributes }));
    const [message] = await received();
    expect([message?.body, message?.messageAttributes]).toEqual(['bare', MessageAttributes]);
  });

  it('has limits and says what is not played', async () => {
    const publish = (more: object) =>
      client.send(new PublishCommand({ TopicArn: topicArn, Message: 'x', ...more }));
    await expect(publish({ Message: 'x'.repeat(256 * 1024 + 1) })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    await expect(publish({ Subject: 'two\nlines' })).rejects.toThrow('Subject');
    await expect(publish({ TopicArn: `${topicArn}-none` })).rejects.toMatchObject({
      name: 'NotFoundException',
    });
    await expect(client.send(new CreateTopicCommand({ Name: 'n' }))).rejects.toMatchObject({
      message: expect.stringContaining('CreateTopic'),
      $metadata: { httpStatusCode: 501 },
    });
  });
});

describe('grants', () => {
  it('ask the topic policy, which an explicit one replaces', async () => {
    await sns.publish({ caller: ses(), topicArn, message: 'x' });
    const before = cloud.asked.at(-1)!;
    expect(before).toMatchObject({ action: 'sns:Publish', resource: topicArn, caller: ses() });
    expect(JSON.stringify(before.resourcePolicy)).not.toContain('ses.amazonaws.com');
    const PolicyDocument = {
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ses.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: '*',
        },
      ],
    };
    await deploy(sns, 'AWS::SNS::TopicPolicy', { PolicyDocument, Topics: [topicArn] });
    await sns.publish({ caller: ses(), topicArn, message: 'x' });
    expect(cloud.asked.at(-1)?.resourcePolicy).toEqual(PolicyDocument);
  });

  it('refuse a publisher, and count the call', async () => {
    await subscribe();
    cloud.deny = ({ action }) => action === 'sns:Publish';
    const publish = client.send(new PublishCommand({ TopicArn: topicArn, Message: 'x' }));
    await expect(publish).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    expect(cloud.calls.at(-1)).toEqual({
      service: 'sns',
      action: 'Publish',
      by: 'tester',
      error: 'AccessDenied',
    });
    expect(await received()).toEqual([]);
  });

  it('of the queue count for SNS: a refused message goes to the dead letters', async () => {
    const dead = await queue('dead');
    await subscribe({ RedrivePolicy: { deadLetterTargetArn: dead }, RawMessageDelivery: true });
    cloud.deny = ({ resource, caller }) => resource === queueArn && caller.kind === 'service';
    await sns.publish({ caller: testRole, topicArn, message: 'refused' });
    const asked = cloud.asked.find(({ resource }) => resource === queueArn);
    expect(asked?.caller).toEqual({
      kind: 'service',
      service: 'sns.amazonaws.com',
      sourceArn: topicArn,
      sourceAccount: cloud.account,
    });
    expect((await received(dead)).map(({ body }) => body)).toEqual(['refused']);
    expect(await received()).toEqual([]);
  });

  it('missing on a queue without dead letters lose the message, and the terminal says so', async () => {
    await subscribe();
    cloud.deny = ({ caller }) => caller.kind === 'service';
    await sns.publish({ caller: testRole, topicArn, message: 'refused' });
    expect(cloud.printed.join()).toContain('lost');
  });
});

describe('a queue that fails', () => {
  it('is tried again by the clock until it takes the message, across a restart', async () => {
    let failures = 4;
    const failing = {
      send: vi.fn((request: Parameters<Sqs['send']>[0]) => {
        if (failures-- > 0) throw new AwsError('InternalError', 'try again', { status: 500 });
        return sqs.send(request);
      }),
    };
    await subscribe();
    const first = new Sns(cloud, failing);
    topicArn = (await deploy(first, 'AWS::SNS::Topic', {}, 'other')).ref;
    await deploy(first, 'AWS::SNS::Subscription', {
      TopicArn: topicArn,
      Protocol: 'sqs',
      Endpoint: queueArn,
    });
    await first.publish({ caller: testRole, topicArn, message: 'kept' });
    await first.stop();
    expect(await received()).toEqual([]);
    const second = new Sns(cloud, failing);
    second.start();
    await vi.waitFor(
      async () => {
        cloud.clock.advance(1000);
        const [message] = await received();
        expect(JSON.parse(message!.body)).toMatchObject({ Message: 'kept' });
      },
      { interval: 5 },
    );
    expect(failing.send).toHaveBeenCalledTimes(5);
    await second.stop();
  });

  it('is tried on the ladder of SNS', () => {
    const ladder = Array.from({ length: 18 }, (_, index) => Math.round(retryDelay(index + 1) / 1000));
    expect(ladder).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5, 7, 10, 14, 20, 20, 20, 20]);
  });

  it('in bad weather gets everything, some of it late and twice', async () => {
    await stop();
    await start(badWeather(3, { duplicate: 0.3, delay: 0.3, reorder: 0.3 }));
    await subscribe({ RawMessageDelivery: true });
    for (let index = 0; index < 20; index++)
      await sns.publish({ caller: testRole, topicArn, message: `m${index}` });
    const got: string[] = [];
    await vi.waitFor(
      async () => {
        cloud.clock.advance(2000);
        got.push(...(await received()).map(({ body }) => body));
        expect(new Set(got).size).toBe(20);
      },
      { interval: 5 },
    );
    expect(got.length).toBeGreaterThan(20);
  });
});

describe('topic resources', () => {
  it.each([
    ['AWS::SNS::Topic', { KmsMasterKeyId: 'alias/aws/sns' }, 'no KMS'],
    ['AWS::SNS::Topic', { FifoTopic: true }, 'FIFO'],
    ['AWS::SNS::Subscription', { TopicArn: 'x', Protocol: 'https', Endpoint: 'x' }, 'only queues'],
    [
      'AWS::SNS::Subscription',
      { TopicArn: 'x', Protocol: 'sqs', Endpoint: 'x', FilterPolicy: {} },
      'FilterPolicy',
    ],
    ['AWS::SNS::Subscription', { TopicArn: 'arn:none', Protocol: 'sqs', Endpoint: 'x' }, 'no topic arn:none'],
  ])('%s refuses %j', async (type, properties, message) => {
    await expect(deploy(sns, type, properties)).rejects.toThrow(message);
  });

  it('note an alarm address that is not written to', async () => {
    await subscribe({ Protocol: 'email', Endpoint: 'someone@example.org' });
    expect(cloud.printed.join()).toContain('is not sent here');
    expect(cloud.printed.join()).not.toContain('someone@example.org');
  });
});
