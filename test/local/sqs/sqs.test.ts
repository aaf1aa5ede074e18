import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueueTagsCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../../../lib/local/cloud.ts';
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
let client: SQSClient;
let url = '';
let close: () => Promise<void>;
let queues = 0;

beforeAll(async () => {
  cloud = await stubCloud();
  sqs = new Sqs(cloud, () => url);
  ({ url, close } = await serve(sqs));
  client = new SQSClient(clientSettings(url));
});
afterEach(() => {
  cloud.deny = () => false;
});
afterAll(async () => {
  client.destroy();
  await close();
  await sqs.stop();
  await removeHome(cloud);
});

async function queue(properties = {}) {
  const { ref, attributes } = await deploy(sqs, 'AWS::SQS::Queue', properties, `queue-${++queues}`);
  return { QueueUrl: ref, arn: attributes!['Arn'] as string };
}
const send = (QueueUrl: string, MessageBody: string, more = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more = {}) =>
  (
    await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        ...more,
      }),
    )
  ).Messages ?? [];
const bodies = async (QueueUrl: string) => (await receive(QueueUrl)).map(({ Body }) => Body);

/** A long poll of 20 s that has arrived and found nothing; in an object, since a promise would be awaited on return. */
async function parked(QueueUrl: string) {
  const asked = cloud.asked.length;
  const messages = receive(QueueUrl, { WaitTimeSeconds: 20 });
  await vi.waitFor(() => expect(cloud.asked.length).toBeGreaterThan(asked), { interval: 5 });
  return { messages };
}

describe('a message', () => {
  it('is received with its attributes, hidden, and gone once deleted', async () => {
    const { QueueUrl } = await queue();
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'é' },
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]) },
      count: { DataType: 'Number.int', StringValue: '3' },
    };
    // The client holds the answer's MD5s against its own.
    const sent = await send(QueueUrl, 'hällo', { MessageAttributes });
    const [message] = await receive(QueueUrl);
    expect(message).toMatchObject({ MessageId: sent.MessageId, Body: 'hällo' });
    expect(message?.Attributes).toMatchObject({ ApproximateReceiveCount: '1', SenderId: 'AKIATEST' });
    expect(message?.MessageAttributes?.['text']?.StringValue).toBe('é');
    expect(message?.MessageAttributes?.['bytes']?.BinaryValue).toEqual(new Uint8Array([1, 2]));
    expect(await receive(QueueUrl)).toEqual([]);
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message!.ReceiptHandle }));
    cloud.clock.advance(31_000);
    expect(await receive(QueueUrl)).toEqual([]);
  });

  it('comes back after its visibility timeout, with a new receipt that alone counts', async () => {
    const { QueueUrl } = await queue({ VisibilityTimeout: 5 });
    await send(QueueUrl, 'again');
    const [first] = await receive(QueueUrl);
    cloud.clock.advance(5_000);
    const [second] = await receive(QueueUrl);
    expect(second?.Attributes?.['ApproximateReceiveCount']).toBe('2');
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first!.ReceiptHandle }));
    cloud.clock.advance(5_000);
    const [third] = await receive(QueueUrl);
    expect(third?.Body).toBe('again');
    const visible = { QueueUrl, ReceiptHandle: third!.ReceiptHandle, VisibilityTimeout: 0 };
    await client.send(new ChangeMessageVisibilityCommand(visible));
    expect(await bodies(QueueUrl)).toEqual(['again']);
  });

  it('wakes a long poll, and a poll ends by the clock', async () => {
    const { QueueUrl } = await queue();
    const empty = await parked(QueueUrl);
    cloud.clock.advance(20_000);
    expect(await empty.messages).toEqual([]);
    const waiting = await parked(QueueUrl);
    await send(QueueUrl, 'wake up');
    expect((await waiting.messages).map(({ Body }) => Body)).toEqual(['wake up']);
  });

  it('may be delayed, by itself or by its queue', async () => {
    const { QueueUrl } = await queue({ DelaySeconds: 10 });
    await send(QueueUrl, 'at ten');
    await send(QueueUrl, 'at sixty', { DelaySeconds: 60 });
    await send(QueueUrl, 'at once', { DelaySeconds: 0 });
    expect(await bodies(QueueUrl)).toEqual(['at once']);
    cloud.clock.advance(10_000);
    expect(await bodies(QueueUrl)).toEqual(['at ten']);
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    await send(QueueUrl, 'soon', { DelaySeconds: 15 });
    const waiting = await parked(QueueUrl);
    cloud.clock.advance(15_000);
    expect((await waiting.messages).map(({ Body }) => Body)).toEqual(['soon']);
  });

  it('is dropped after the retention', async () => {
    const { QueueUrl } = await queue({ MessageRetentionPeriod: 60 });
    await send(QueueUrl, 'old');
    cloud.clock.advance(60_000);
    await send(QueueUrl, 'new');
    expect(await bodies(QueueUrl)).toEqual(['new']);
  });

  it('goes to the dead-letter queue and back', async () => {
    const dead = await queue();
    const { QueueUrl, arn } = await queue({
      VisibilityTimeout: 0,
      RedrivePolicy: { deadLetterTargetArn: dead.arn, maxReceiveCount: 2 },
    });
    const { MessageId } = await send(QueueUrl, 'poison');
    expect([await bodies(QueueUrl), await bodies(QueueUrl), await bodies(QueueUrl)]).toEqual([
      ['poison'],
      ['poison'],
      [],
    ]);
    const [letter] = await receive(dead.QueueUrl, { VisibilityTimeout: 0 });
    expect(letter).toMatchObject({ MessageId, Attributes: { DeadLetterQueueSourceArn: arn } });
    await client.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    expect(await bodies(QueueUrl)).toEqual(['poison']);
    const { Results } = await client.send(new ListMessageMoveTasksCommand({ SourceArn: dead.arn }));
    expect(Results).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }]);
    await expect(client.send(new StartMessageMoveTaskCommand({ SourceArn: arn }))).rejects.toThrow(
      'Dead Letter Queue',
    );
  });
});

describe('batches', () => {
  it('answer for each entry', async () => {
    const { QueueUrl } = await queue();
    const Entries = [
      { Id: 'a', MessageBody: '1' },
      { Id: 'b', MessageBody: '\u0000' },
    ];
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(answer.Successful?.map(({ Id }) => Id)).toEqual(['a']);
    expect(answer.Failed).toMatchObject([{ Id: 'b', Code: 'InvalidMessageContents', SenderFault: true }]);
    const [message] = await receive(QueueUrl);
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'x', ReceiptHandle: message!.ReceiptHandle },
          { Id: 'y', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(deleted.Failed).toMatchObject([{ Id: 'y', Code: 'ReceiptHandleIsInvalid' }]);
  });

  it('have their limits', async () => {
    const { QueueUrl } = await queue();
    const half = 'x'.repeat(600 * 1024);
    const batch = (Entries: { Id: string; MessageBody: string }[]) =>
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    await expect(batch([])).rejects.toMatchObject({ name: 'EmptyBatchRequest' });
    await expect(
      batch([
        { Id: 'a', MessageBody: half },
        { Id: 'b', MessageBody: half },
      ]),
    ).rejects.toMatchObject({ name: 'BatchRequestTooLong' });
    await expect(
      batch([
        { Id: 'a', MessageBody: '1' },
        { Id: 'a', MessageBody: '2' },
      ]),
    ).rejects.toMatchObject({ name: 'BatchEntryIdsNotDistinct' });
    await expect(send(QueueUrl, 'x'.repeat(1024 ** 2 + 1))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
    expect((await send(QueueUrl, 'x'.repeat(1024 ** 2))).MessageId).toBeTypeOf('string');
  });
});

describe('a FIFO queue', () => {
  const inGroup = (MessageGroupId: string, MessageDeduplicationId?: string) => ({
    MessageGroupId,
    ...(MessageDeduplicationId && { MessageDeduplicationId }),
  });

  it('keeps the order of a group and blocks it while in flight', async () => {
    const { QueueUrl } = await queue({ FifoQueue: true, ContentBasedDeduplication: true });
    for (const body of ['a1', 'a2', 'a3']) await send(QueueUrl, body, inGroup('a'));
    await send(QueueUrl, 'b1', inGroup('b'));
    const first = await receive(QueueUrl, { MaxNumberOfMessages: 2 });
    expect(first.map(({ Body }) => Body)).toEqual(['a1', 'a2']);
    expect(await bodies(QueueUrl)).toEqual(['b1']);
    for (const { ReceiptHandle } of first)
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    expect(await bodies(QueueUrl)).toEqual(['a3']);
  });

  it('takes a message once in five minutes', async () => {
    const { QueueUrl } = await queue({ FifoQueue: true, ContentBasedDeduplication: true });
    const first = await send(QueueUrl, 'same', inGroup('a'));
    const second = await send(QueueUrl, 'same', inGroup('b'));
    expect([second.MessageId, second.SequenceNumber]).toEqual([first.MessageId, first.SequenceNumber]);
    await send(QueueUrl, 'same', inGroup('a', 'other'));
    expect(await bodies(QueueUrl)).toHaveLength(2);
    cloud.clock.advance(5 * 60_000);
    expect((await send(QueueUrl, 'same', inGroup('a'))).MessageId).not.toBe(first.MessageId);
  });

  it('needs a group and something to deduplicate by', async () => {
    const { QueueUrl } = await queue({ FifoQueue: true });
    await expect(send(QueueUrl, 'x')).rejects.toMatchObject({ name: 'MissingParameter' });
    await expect(send(QueueUrl, 'x', inGroup('a'))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

describe('a standard queue with groups', () => {
  it('lets a quiet tenant past a busy one', async () => {
    const { QueueUrl } = await queue();
    for (let index = 0; index < 30; index++)
      await send(QueueUrl, `busy ${index}`, { MessageGroupId: 'busy' });
    await send(QueueUrl, 'quiet', { MessageGroupId: 'quiet' });
    const first = await receive(QueueUrl, { MaxNumberOfMessages: 4 });
    expect(first.map(({ Body }) => Body)).toContain('quiet');
    expect(first[0]?.Attributes?.['MessageGroupId']).toBe('busy');
  });
});

describe('a queue', () => {
  it('is found, described and emptied', async () => {
    const { QueueUrl, arn } = await queue({ QueueName: 'by-name' });
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'by-name' }))).QueueUrl).toBe(QueueUrl);
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'by-' }))).QueueUrls).toEqual([
      QueueUrl,
    ]);
    await send(QueueUrl, '1');
    await send(QueueUrl, '2', { DelaySeconds: 5 });
    await send(QueueUrl, '3');
    await receive(QueueUrl, { MaxNumberOfMessages: 1 });
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      QueueArn: arn,
      VisibilityTimeout: '30',
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
    });
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    await expect(client.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toMatchObject({
      name: 'PurgeQueueInProgress',
    });
    cloud.clock.advance(60_000);
    expect(await receive(QueueUrl)).toEqual([]);
  });

  it('has the tags of the template, and knows whose dead letters it takes', async () => {
    const dead = await queue({ Tags: [{ Key: 'of', Value: 'somebody' }] });
    const RedrivePolicy = { deadLetterTargetArn: dead.arn, maxReceiveCount: 2 };
    const { QueueUrl } = await queue({ RedrivePolicy });
    const tagsOf = async (url: string) =>
      (await client.send(new ListQueueTagsCommand({ QueueUrl: url }))).Tags;
    expect([await tagsOf(dead.QueueUrl), await tagsOf(QueueUrl)]).toEqual([{ of: 'somebody' }, undefined]);
    const sourcesOf = async (url: string) =>
      (await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: url }))).queueUrls;
    expect([await sourcesOf(dead.QueueUrl), await sourcesOf(QueueUrl)]).toEqual([[QueueUrl], []]);
  });

  it('is called at the local endpoint by a client that knows it from the environment only', async () => {
    const { QueueUrl } = await queue();
    vi.stubEnv('AWS_ENDPOINT_URL', url);
    const { endpoint: _, ...settings } = clientSettings(url);
    const other = new SQSClient(settings);
    await other.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    other.destroy();
    vi.unstubAllEnvs();
    expect(await bodies(QueueUrl)).toEqual(['x']);
  });

  it('that is not there is an error by its AWS name', async () => {
    await expect(send(`${url}/000000000000/none`, 'x')).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    const other = client.send(new CreateQueueCommand({ QueueName: 'n' }));
    await expect(other).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('CreateQueue'),
    });
  });

  it.each([
    [{ KmsMasterKeyId: 'alias/aws/sqs' }, 'KmsMasterKeyId'],
    [{ QueueName: 'plain', FifoQueue: true }, 'FIFO'],
    [{ RedrivePolicy: { deadLetterTargetArn: 'arn:none', maxReceiveCount: 1 } }, 'no queue arn:none'],
  ])('is not deployed with %j', async (properties, message) => {
    await expect(deploy(sqs, 'AWS::SQS::Queue', properties)).rejects.toThrow(message);
  });

  it('takes dead letters only as it allows', async () => {
    const dead = await queue({ RedriveAllowPolicy: { redrivePermission: 'denyAll' } });
    const refused = queue({ RedrivePolicy: { deadLetterTargetArn: dead.arn, maxReceiveCount: 1 } });
    await expect(refused).rejects.toThrow('RedriveAllowPolicy');
  });
});

describe('grants', () => {
  it('are asked with the queue policy, for services too', async () => {
    const { QueueUrl, arn } = await queue();
    const PolicyDocument = {
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: '*' }],
    };
    await deploy(sqs, 'AWS::SQS::QueuePolicy', { PolicyDocument, Queues: [QueueUrl] });
    const caller: Caller = { kind: 'service', service: 'sns.amazonaws.com', sourceArn: 'arn:topic' };
    await sqs.send({ caller, queueArn: arn, body: 'notice' });
    expect(cloud.asked.at(-1)).toMatchObject({
      caller,
      action: 'sqs:SendMessage',
      resource: arn,
      resourcePolicy: PolicyDocument,
      context: { 'aws:SecureTransport': 'true' },
    });
    cloud.deny = (access) => access.caller.kind === 'service';
    await expect(sqs.send({ caller, queueArn: arn, body: 'x' })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    expect(await bodies(QueueUrl)).toEqual(['notice']);
  });

  it.each([
    ['sqs:SendMessage', (QueueUrl: string) => send(QueueUrl, 'x')],
    ['sqs:ReceiveMessage', (QueueUrl: string) => receive(QueueUrl)],
    ['sqs:PurgeQueue', (QueueUrl: string) => client.send(new PurgeQueueCommand({ QueueUrl }))],
    [
      'sqs:DeleteMessage',
      (QueueUrl: string) => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'x' })),
    ],
  ])('missing for %s refuse the call, which is recorded', async (action, call) => {
    const { QueueUrl } = await queue();
    cloud.deny = (access) => access.action === action;
    await expect(call(QueueUrl)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(cloud.calls.at(-1)).toMatchObject({ service: 'sqs', by: 'tester', error: 'AccessDenied' });
  });
});

describe('within the cloud', () => {
  it('a listener is nudged by arrival, by visibility and at once', async () => {
    const { arn } = await queue({ VisibilityTimeout: 5 });
    const listener = vi.fn();
    const end = sqs.onMessage(arn, listener);
    expect(listener).toHaveBeenCalledTimes(1);
    await sqs.send({ caller: testRole, queueArn: arn, body: 'x' });
    expect(listener).toHaveBeenCalledTimes(2);
    const [message] = await sqs.receive({ caller: testRole, queueArn: arn, max: 10, waitMs: 0 });
    cloud.clock.advance(5_000);
    expect(listener).toHaveBeenCalledTimes(3);
    const [again] = await sqs.receive({ caller: testRole, queueArn: arn, max: 10, waitMs: 0 });
    expect(again?.messageId).toBe(message?.messageId);
    const receipt = { caller: testRole, queueArn: arn, receiptHandle: again!.receiptHandle };
    await sqs.changeVisibility({ ...receipt, visibilityMs: 60_000 });
    cloud.clock.advance(55_000);
    expect(listener).toHaveBeenCalledTimes(3);
    await sqs.delete(receipt);
    end();
  });

  it('bad weather doubles, delays and shuffles, and loses nothing', async () => {
    const stormy = await stubCloud({ weather: badWeather(7, { duplicate: 0.3, delay: 0.3, reorder: 0.5 }) });
    const other = new Sqs(stormy, () => url);
    const { attributes } = await deploy(other, 'AWS::SQS::Queue', { VisibilityTimeout: 600 });
    const queueArn = attributes!['Arn'] as string;
    const sent = Array.from({ length: 40 }, (_, index) => String(index));
    for (const body of sent) await other.send({ caller: testRole, queueArn, body });
    const got: string[] = [];
    const drain = async () => {
      for (;;) {
        const messages = await other.receive({ caller: testRole, queueArn, max: 10, waitMs: 0 });
        if (messages.length === 0) return;
        got.push(...messages.map(({ body }) => body));
      }
    };
    await drain();
    expect(new Set(got).size).toBeLessThan(40);
    stormy.clock.advance(1_000);
    await drain();
    expect([...new Set(got)].sort()).toEqual([...sent].sort());
    expect(got.length).toBeGreaterThan(40);
    expect(got).not.toEqual([...got].sort((a, b) => Number(a) - Number(b)));
    await other.stop();
    await removeHome(stormy);
  });
});
