import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { eventRow } from '../../lib/adapters/dynamo/event-rows.ts';
import { newUlid } from '../../lib/adapters/ulids.ts';
import { published, type Announced } from '../../lib/contract/event.ts';
import type { Resources } from '../support/local-cloud.ts';
import { resourceOf } from '../support/local-cloud.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';

/** A rule on the bus with a queue behind it, as a subscriber in the same account deploys it; and the canary sings. */
function subscribe(resources: Resources): void {
  resourceOf(resources, 'AWS::Events::Rule', 'canaryschedule').Properties.State = 'ENABLED';
  const bus = resourceOf(resources, 'AWS::Events::EventBus', 'announce').logicalId;
  const queue = { 'Fn::GetAtt': ['Heard', 'Arn'] };
  resources['Heard'] = { Type: 'AWS::SQS::Queue', Properties: {} };
  resources['HeardRule'] = {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventBusName: { Ref: bus },
      EventPattern: { source: ['posthorn'] },
      State: 'ENABLED',
      Targets: [{ Id: 'heard', Arn: queue }],
    },
  };
  resources['HeardPolicy'] = {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: 'Heard' }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: queue,
            Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['HeardRule', 'Arn'] } } },
          },
        ],
      },
    },
  };
}

describe('a subscriber on the bus', () => {
  // While the bus is away the stream may give a batch up.
  const mailroom = sharedMailroom({
    edit: subscribe,
    expects: { deadLetters: true },
  });
  /** Everything heard so far, an event once; `times` counts repeats. */
  const heard = new Map<string, { detail: any; times: number }>();

  async function listen(): Promise<void> {
    const [QueueUrl] = mailroom.queueUrls((id) => id === 'Heard');
    const sqs = mailroom.sqs();
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: QueueUrl!, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return;
      for (const { Body, ReceiptHandle } of Messages) {
        const event = JSON.parse(Body!) as { source: string; 'detail-type': Announced; detail: any };
        expect([event.source, event['detail-type']]).toEqual(['posthorn', event.detail.event_type]);
        expect(published[event['detail-type']].strict().parse(event.detail)).toEqual(event.detail);
        const times = (heard.get(event.detail.event_id)?.times ?? 0) + 1;
        heard.set(event.detail.event_id, { detail: event.detail, times });
        await sqs.send(new DeleteMessageCommand({ QueueUrl: QueueUrl!, ReceiptHandle: ReceiptHandle! }));
      }
    }
  }
  /** What was heard of an inbox, by position, once there is as much as expected. */
  const told = (inbox: string, count: number) =>
    mailroom.eventually(async () => {
      await listen();
      const found = [...heard.values()]
        .map(({ detail }) => detail)
        .filter(({ inbox_id }) => inbox_id === inbox);
      if (found.length !== count) throw new Error(`${found.length} events of ${inbox}, not ${count}`);
      return found.toSorted((a, b) => a.position - b.position);
    });

  it('hears of everything that happens in an inbox, each with its place, as the log has it', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    await client.inboxes.update(inbox, { display_name: 'Ada' });
    await mailroom.send({ to: inbox, subject: 'Hello', text: 'A body nobody hears of.' });
    const [{ message_id, thread_id }] = (await mailroom.messages(inbox, 1)) as [any];
    await client.inboxes.messages.update(inbox, message_id, {
      add_labels: ['seen'],
      remove_labels: ['unread'],
    });
    await client.inboxes.messages.delete(inbox, message_id);
    const events = await told(inbox, 5);
    expect(events.map(({ event_type }) => event_type)).toEqual([
      'inbox.created',
      'inbox.updated',
      'message.received',
      'message.labeled',
      'message.deleted',
    ]);
    expect(events.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    expect(events[2]).toMatchObject({
      subject: 'Hello',
      from: 'Alice <alice@sender.test>',
      message_id,
      thread_id,
    });
    expect(JSON.stringify(events)).not.toContain('A body nobody hears of.');
    const { events: log } = await client.inboxes.events.list(inbox, { after_position: 0 });
    expect(log.map(({ event_type, position, label }) => [event_type, position, label])).toEqual([
      ['inbox.created', 1, undefined],
      ['inbox.updated', 2, undefined],
      ['message.received', 3, undefined],
      ['label.added', 4, 'seen'],
      ['label.removed', 4, 'unread'],
      ['message.deleted', 5, undefined],
    ]);
  });

  it('hears of everything once the bus works again, a minute later', async () => {
    const inbox = await mailroom.inbox();
    await told(inbox, 1);
    mailroom.cloud.outages.add('events');
    for (const subject of ['one', 'two', 'three']) await mailroom.send({ to: inbox, subject });
    await mailroom.messages(inbox, 3);
    await mailroom.pass(1);
    await listen();
    expect([...heard.values()].filter(({ detail }) => detail.inbox_id === inbox)).toHaveLength(1);
    mailroom.cloud.outages.delete('events');
    const events = await told(inbox, 4);
    expect(events.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
    expect(
      events
        .slice(1)
        .map(({ subject }) => subject)
        .toSorted(),
    ).toEqual(['one', 'three', 'two']);
  });

  it('hears after ten minutes of an event the stream has lost', async () => {
    const inbox = await mailroom.inbox();
    const [{ inbox_uid: uid, organization_id, pod_id }] = (await told(inbox, 1)) as [any];
    const time = mailroom.cloud.clock.now();
    const event = {
      event_id: `evt_${newUlid(time)}`,
      event_type: 'inbox.updated' as const,
      organization_id,
      pod_id,
      inbox_id: inbox,
      timestamp: new Date(time).toISOString(),
    };
    // It has its place already, so the function is not told of it: as if it had died there and the record were gone.
    const row = { ...eventRow({ organization_id, uid }, event, Math.floor(time / 1000)), position: 2 };
    await mailroom
      .dynamodb()
      .send(new PutItemCommand({ TableName: mailroom.tableName, Item: marshall(row) }));
    const events = await told(inbox, 2);
    expect(events[1]).toMatchObject({ event_id: event.event_id, position: 2 });
    expect(mailroom.cloud.clock.now() - time).toBeGreaterThan(10 * 60_000);
  });

  it('hears the deployment’s mail to itself, which went out and came in, and so does the alarm', async () => {
    const name = mailroom.named('canaryhearcanaryfunction');
    const delays = () =>
      mailroom.cloud.services.lambda.logs(name).flatMap((line) => {
        const { CanaryDelay } = line.startsWith('{') ? JSON.parse(line) : {};
        return CanaryDelay === undefined ? [] : [CanaryDelay as number];
      });
    await mailroom.eventually(() => expect(delays().length).toBeGreaterThan(0));
    expect(delays()[0]).toBeGreaterThanOrEqual(0);
    await mailroom.eventually(async () => {
      await listen();
      const address = `canary@${domain}`;
      const mails = [...heard.values()].filter(
        ({ detail }) => detail.inbox_id === address && detail.event_type === 'message.received',
      );
      expect(mails[0]?.detail).toMatchObject({
        organization_id: 'org_operator',
        from: address,
        to: [address],
      });
    });
    // Whoever else writes to it sets nothing off.
    const subject = `Canary ${new Date(mailroom.cloud.clock.now() - 20 * 3600_000).toISOString()}`;
    await mailroom.send({ to: `canary@${domain}`, subject });
    await mailroom.eventually(async () => {
      await listen();
      expect([...heard.values()]).toContainEqual(
        expect.objectContaining({
          detail: expect.objectContaining({
            inbox_id: `canary@${domain}`,
            from: 'Alice <alice@sender.test>',
          }),
        }),
      );
    });
    expect(Math.max(...delays())).toBeLessThan(19 * 3600_000);
  });
});
