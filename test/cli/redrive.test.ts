import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { moveMessages } from '../../lib/cli/move-messages.ts';
import { run } from '../../lib/cli/run.ts';
import { Sqs } from '../../lib/local/sqs/sqs.ts';
import {
  clientSettings,
  deploy,
  endHouse,
  serve,
  stubCloud,
  type StubCloud,
} from '../support/service-endpoint.ts';

let cloud: StubCloud;
let engine: Sqs;
let client: SQSClient;
let url = '';
let close: () => Promise<void>;

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterAll(() => void vi.unstubAllEnvs());
beforeEach(async () => {
  cloud = await stubCloud();
  engine = new Sqs(cloud, () => url);
  ({ url, close } = await serve(engine));
  client = new SQSClient(clientSettings(url));
  return () => endHouse({ client, close, engine, cloud });
});

/** The dead-letter queue of a function, and the queue it is of. */
async function queuesOf(name: string, stack = 'posthorn-prod') {
  const QueueName = `${stack}-${name}-dead`;
  const Tags = [{ Key: 'posthorn:dead-letters', Value: `${stack}/${name}` }];
  const dead = await deploy(engine, 'AWS::SQS::Queue', { QueueName, Tags }, QueueName);
  const RedrivePolicy = { deadLetterTargetArn: dead.attributes!['Arn'], maxReceiveCount: 1 };
  const properties = { QueueName: `${stack}-${name}`, VisibilityTimeout: 0, RedrivePolicy };
  const source = await deploy(engine, 'AWS::SQS::Queue', properties, properties.QueueName);
  return { dead: dead.ref, source: source.ref };
}
async function deadLettersOf(name: string, stack = 'posthorn-prod') {
  const QueueName = `${stack}-${name}-dead`;
  const Tags = [{ Key: 'posthorn:dead-letters', Value: `${stack}/${name}` }];
  return (await deploy(engine, 'AWS::SQS::Queue', { QueueName, Tags }, QueueName)).ref;
}
const send = (QueueUrl: string, MessageBody: string) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
const bodies = async (QueueUrl: string) => {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 });
  return ((await client.send(command)).Messages ?? []).map(({ Body }) => Body).toSorted();
};
const place = (shardId: string) => ({
  shardId,
  startSequenceNumber: '1',
  endSequenceNumber: '9',
  approximateArrivalOfFirstRecord: '2026-01-01T00:00:00Z',
  approximateArrivalOfLastRecord: '2026-01-01T00:00:01Z',
  batchSize: 3,
});
const batch = (shardId: string) => JSON.stringify({ version: '1.0', DDBStreamBatchInfo: place(shardId) });

async function redrive(...words: string[]) {
  const printed = { out: '', err: '' };
  const code = await run(['redrive', ...words], {
    env: { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: url },
    cwd: '/',
    stdin: (async function* () {})(),
    out: (content) => void (printed.out += String(content)),
    err: (text) => void (printed.err += text),
    fetch: () => Promise.reject(new Error('it calls no API')),
  });
  return { code, ...printed, json: () => JSON.parse(printed.out) };
}

describe('posthorn redrive', () => {
  it('lists the dead-letter queues of the deployment with what is in them, and changes nothing', async () => {
    const { source } = await queuesOf('receive-mail');
    const rows = await deadLettersOf('publish-event');
    await deadLettersOf('seal-ledger');
    await send(rows, batch('shard-1'));
    await send(source, 'no dead letter');
    const listed = {
      dead_letters: [
        { stack: 'posthorn-prod', queue: 'publish-event', messages: 1, way_back: 'rows' },
        { stack: 'posthorn-prod', queue: 'receive-mail', messages: 0, way_back: 'move' },
        { stack: 'posthorn-prod', queue: 'seal-ledger', messages: 0, way_back: 'never' },
      ],
    };
    expect((await redrive()).json()).toEqual(listed);
    expect((await redrive('--list')).json()).toEqual(listed);
    expect((await redrive('publish-event', '--list')).json()).toEqual({
      dead_letters: [listed.dead_letters[0]],
    });
    expect(await bodies(rows)).toHaveLength(1);
  });

  it('moves everything back into the queue it came from, also what EventBridge put there', async () => {
    const { dead, source } = await queuesOf('fan-out-webhooks');
    await send(source, 'tried');
    expect([await bodies(source), await bodies(source)]).toEqual([['tried'], []]);
    await send(dead, 'from the rule');
    expect((await redrive('fan-out-webhooks', '--max-per-second', '50')).json()).toEqual({
      queue: 'fan-out-webhooks',
      moved: 2,
      to: 'posthorn-prod-fan-out-webhooks',
    });
    expect(await bodies(source)).toEqual(['from the rule', 'tried']);
    expect((await redrive('fan-out-webhooks')).code).toBe(0);
  });

  it('deletes what only names rows that are told of again, and nothing else', async () => {
    const dead = await deadLettersOf('publish-event');
    for (let n = 10; n < 22; n++) await send(dead, batch(`shard-${n}`));
    await send(dead, 'of nobody');
    const { deleted, note } = (await redrive('publish-event')).json();
    expect(deleted.map((one: { shardId: string }) => one.shardId).toSorted()).toEqual(
      Array.from({ length: 12 }, (_, n) => `shard-${n + 10}`),
    );
    expect(note).toContain('run-due');
    cloud.clock.advance(60_000);
    expect(await bodies(dead)).toEqual(['of nobody']);
  });

  it('says that lines without a seal cannot be brought back, and forgets them only when told', async () => {
    const dead = await deadLettersOf('seal-ledger');
    await send(dead, batch('shard-1'));
    const refused = await redrive('seal-ledger');
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(/cannot be brought back.*audit verify/);
    expect(await bodies(dead)).toHaveLength(1);
    expect((await redrive('seal-ledger', '--forget')).json()).toEqual({
      queue: 'seal-ledger',
      deleted: [place('shard-1')],
    });
    expect(await bodies(dead)).toEqual([]);
  });

  it('prints what it forgets before it is gone, also when SQS then refuses', async () => {
    const dead = await deadLettersOf('seal-ledger');
    for (let n = 0; n < 15; n++) await send(dead, batch(`shard-${n}`));
    let batches = 0;
    cloud.deny = ({ action }) => action === 'sqs:DeleteMessage' && ++batches > 1;
    const { code, out, err } = await redrive('seal-ledger', '--forget');
    expect([code, err]).toEqual([1, expect.stringContaining('sqs:DeleteMessage')]);
    const told = new Set(out.match(/shard-\d+/g));
    cloud.deny = () => false;
    const left = (await bodies(dead)).length;
    expect(left).toBeLessThan(15);
    expect(told.size).toBeGreaterThanOrEqual(15 - left);
  });

  it('forgets nothing that has a way back', async () => {
    const { dead } = await queuesOf('receive-mail');
    await send(dead, 'a notice');
    const { code, err } = await redrive('receive-mail', '--forget');
    expect([code, err]).toEqual([2, expect.stringContaining('leave --forget out')]);
    expect(await bodies(dead)).toEqual(['a notice']);
  });

  it('asks which deployment is meant, and passes over queues of others', async () => {
    await queuesOf('receive-mail');
    await queuesOf('receive-mail', 'posthorn-test');
    await deploy(engine, 'AWS::SQS::Queue', { QueueName: 'posthorn-another' }, 'another');
    const { code, err } = await redrive();
    expect([code, err]).toEqual([2, expect.stringContaining('posthorn-prod, posthorn-test')]);
    expect((await redrive('--stack', 'posthorn-test')).json().dead_letters).toHaveLength(1);
    const missing = await redrive('--stack', 'posthorn-tset');
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('no deployment posthorn-tset')]);
  });

  it('names the queues there are for one there is not, and knows no way back for what is newer', async () => {
    await queuesOf('receive-mail');
    await queuesOf('of-tomorrow');
    const wrong = await redrive('recieve-mail');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('of-tomorrow, receive-mail')]);
    const newer = await redrive('of-tomorrow');
    expect([newer.code, newer.err]).toEqual([1, expect.stringContaining('This version of posthorn')]);
    expect((await redrive('receive-mail', '--max-per-second', '501')).code).toBe(2);
  });

  it('says what AWS refuses', async () => {
    await queuesOf('receive-mail');
    cloud.deny = ({ action }) => action === 'sqs:StartMessageMoveTask';
    const { code, err } = await redrive('receive-mail');
    expect([code, err]).toEqual([1, expect.stringContaining('sqs:StartMessageMoveTask')]);
  });
});

describe('a move', () => {
  const queue = {
    stack: 'posthorn-prod',
    queue: 'receive-mail',
    url: 'https://sqs/1/dead',
    arn: 'arn:dead',
    messages: 3,
    wayBack: 'move' as const,
  };

  /** SQS that shows these tasks as the newest, one look after the other; the last one stays. */
  function sqsShowing(tasks: (object | undefined)[]) {
    const sent: string[] = [];
    const answers: Record<string, () => object> = {
      ListDeadLetterSourceQueuesCommand: () => ({ queueUrls: ['https://sqs/1/intake'] }),
      GetQueueAttributesCommand: () => ({ Attributes: { QueueArn: 'arn:aws:sqs:eu-west-1:1:intake' } }),
      StartMessageMoveTaskCommand: () => ({}),
      ListMessageMoveTasksCommand: () => {
        const task = tasks.length > 1 ? tasks.shift() : tasks[0];
        return task === undefined ? {} : { Results: [task] };
      },
    };
    const send = async (command: object) => {
      sent.push(command.constructor.name);
      return answers[command.constructor.name]!();
    };
    return { sqs: { send } as unknown as SQSClient, sent };
  }
  const old = { Status: 'COMPLETED', StartedTimestamp: 1, ApproximateNumberOfMessagesMoved: 9 };
  const running = { Status: 'RUNNING', StartedTimestamp: 2, ApproximateNumberOfMessagesMoved: 1 };
  const done = { ...running, Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 3 };
  const starts = (sent: string[]) => sent.filter((name) => name === 'StartMessageMoveTaskCommand').length;

  it('is over when SQS says so, not when it shows an older one', async () => {
    const { sqs, sent } = sqsShowing([old, old, running, running, done]);
    expect(await moveMessages(sqs, queue, { pause: 0 })).toEqual({ moved: 3, to: 'intake' });
    expect(starts(sent)).toBe(1);
  });

  it('that is under way is waited for and not begun again', async () => {
    const { sqs, sent } = sqsShowing([running, running, done]);
    expect(await moveMessages(sqs, queue, { pause: 0 })).toEqual({ moved: 3, to: 'intake' });
    expect(starts(sent)).toBe(0);
  });

  it('that SQS gives up is a failure with its reason', async () => {
    const failed = { ...done, Status: 'FAILED', FailureReason: 'AccessDenied' };
    const { sqs } = sqsShowing([undefined, running, failed]);
    await expect(moveMessages(sqs, queue, { pause: 0 })).rejects.toThrow('FAILED after 3, AccessDenied');
  });

  it('that never shows is no success', async () => {
    await expect(moveMessages(sqsShowing([old]).sqs, queue, { pause: 0 })).rejects.toThrow('does not show');
  });
});
