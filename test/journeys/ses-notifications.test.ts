import { readFileSync } from 'node:fs';
import { PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { corpus, filesOf } from '../adapters/mime/mime4j-corpus.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';

const folder = new URL('ses-notifications/', corpus);
const bodies = new Map(
  filesOf(folder, '_sns_body.json').map((file) => [
    file.slice(0, -'_sns_body.json'.length),
    readFileSync(new URL(file, folder), 'utf8'),
  ]),
);

const mailroom = sharedMailroom({ odds: 'calm', expects: { deadLetters: true } });
const intakeQueue = (id: string) => /intake.*queue/i.test(id) && !/dead/i.test(id);
const intakeDeadLetters = (id: string) => /intake.*dead/i.test(id);

const post = async (body: string): Promise<void> => {
  const [QueueUrl] = mailroom.queueUrls(intakeQueue);
  await mailroom.sqs().send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
};

let opened: string;
beforeAll(() => {
  opened = new Date(mailroom.cloud.clock.now()).toISOString();
});

/** What the function said of mail it could not take in, since these tests began. */
function complaints(): string[] {
  const name = mailroom.named('intakereceivemailfunction');
  const lines = mailroom.cloud.services.lambda.logs(name).filter((line) => line.startsWith('{'));
  return lines.flatMap((line) => {
    const { time, message, error } = JSON.parse(line) as {
      time: string;
      message: string;
      error?: { message: string };
    };
    return message === 'message failed' && time >= opened ? [error!.message] : [];
  });
}

/** All dead letters of the intake, which are then no more. */
async function takeDeadLetters(count: number): Promise<string[]> {
  for (let time = 1; (await mailroom.queued(intakeDeadLetters)) < count; time++) {
    expect(time).toBeLessThan(12);
    // Each is back in the queue when its visibility timeout of twelve minutes is over.
    await mailroom.pass(13);
  }
  expect(await mailroom.queued(intakeQueue)).toBe(0);
  const [QueueUrl] = mailroom.queueUrls(intakeDeadLetters);
  const found: string[] = [];
  while (found.length < count) {
    const { Messages = [] } = await mailroom
      .sqs()
      .send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    found.push(...Messages.map(({ Body }) => Body!));
  }
  mailroom.cloud.clock.advance(61_000);
  await mailroom.sqs().send(new PurgeQueueCommand({ QueueUrl }));
  return found;
}

/** Where the notice says that SES put a mail there, in our bucket. */
const ours = (body: string, sesId: string, recipient: string, timestamp?: string): string => {
  const notification = JSON.parse(body) as { Message: string };
  const said = JSON.parse(notification.Message);
  said.mail.messageId = sesId;
  said.mail.timestamp = timestamp ?? said.mail.timestamp;
  said.receipt.recipients = [recipient];
  Object.assign(said.receipt.action, {
    bucketName: mailroom.bucket,
    objectKeyPrefix: 'incoming/',
    objectKey: `incoming/${sesId}`,
  });
  return JSON.stringify({ ...notification, Message: JSON.stringify(said) });
};

/** By the operator, whom the bucket's policy does not fence off. */
async function store(sesId: string, file: string): Promise<void> {
  await mailroom.s3().send(
    new PutObjectCommand({
      Bucket: mailroom.bucket,
      Key: `incoming/${sesId}`,
      Body: readFileSync(new URL(file, folder)),
    }),
  );
}

const inline = [
  'domain_recipient_email',
  'replies_email',
  'single_recipient_email',
  'single_recipient_list_email',
  'spamVerdict_FAIL_email',
];
const elsewhere = ['dmarc_failed_email', 's3_stored_email', 's3_stored_replies_email'];
const noMail = ['hard_bounce', 'soft_bounce', 'spam_bounce', 'subscription_confirmation_invalid'];

describe.skipIf(bodies.size === 0)(`${bodies.size} notifications that SES and SNS once sent`, () => {
  let inbox: string;
  beforeAll(async () => {
    inbox = await mailroom.inbox();
  });

  it('are all known here', () => {
    expect([...bodies.keys()].sort()).toEqual([...inline, ...elsewhere, ...noMail].sort());
  });

  it('that tell of no received mail are done with, silently', async () => {
    for (const name of noMail) await post(bodies.get(name)!);
    await post(
      JSON.stringify({
        Type: 'Notification',
        Message: 'Successfully validated SNS topic for Amazon SES event publishing.',
      }),
    );
    await mailroom.quiet();
    expect(complaints()).toEqual([]);
    expect(await mailroom.queued(intakeDeadLetters)).toBe(0);
  });

  it('whose mail lies in incoming/ deliver it, with the verdicts of the notice', async () => {
    await store('realdmarc', 'plain_text_incoming.email');
    await store('realpass', 'emperor_norton_incoming.email');
    await post(ours(bodies.get('dmarc_failed_email')!, 'realdmarc', inbox));
    await post(ours(bodies.get('s3_stored_email')!, 'realpass', inbox.replace('@', '+Tag@')));
    const messages = await mailroom.messages(inbox, 2, mailroom.client(), { include_unauthenticated: true });
    const [failed, passed] = [
      messages.find(({ tag }) => tag === undefined),
      messages.find(({ tag }) => tag !== undefined),
    ];
    expect(failed).toMatchObject({
      labels: expect.arrayContaining(['received', 'unread', 'unauthenticated']),
      authentication: { spf: 'FAIL', dkim: 'PASS', dmarc: 'FAIL', dmarc_policy: 'reject' },
    });
    expect(passed).toMatchObject({
      labels: ['received', 'unread'],
      authentication: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS' },
      timestamp: '2021-09-27T20:16:39.558Z',
    });
    await mailroom.quiet();
    expect(complaints()).toEqual([]);
  });

  it('whose mail is gone from incoming/ are done with: it was taken in before', async () => {
    await post(ours(bodies.get('s3_stored_replies_email')!, 'gone', inbox));
    await post(ours(bodies.get('s3_stored_email')!, 'realpass', inbox));
    await mailroom.quiet();
    expect(complaints()).toEqual([]);
    await mailroom.messages(inbox, 2, mailroom.client(), { include_unauthenticated: true });
  });

  it('for an address without an inbox leave a row for the operator', async () => {
    await store('nobody', 'russian_spam_incoming.email');
    await post(
      ours(
        bodies.get('s3_stored_email')!,
        'nobody',
        `nobody@${domain}`,
        new Date(mailroom.cloud.clock.now()).toISOString(),
      ),
    );
    await mailroom.quiet();
    const { undeliverable } = await mailroom.operator.undeliverable.list();
    // Others share the mailroom, and the operator sees all of it.
    expect(undeliverable.filter(({ ses_message_id }) => ses_message_id === 'nobody')).toMatchObject([
      {
        recipient: `nobody@${domain}`,
        sender: 'source@sender.com',
        ses_message_id: 'nobody',
        reason: 'no_such_address',
      },
    ]);
  });

  it('that name no mail in incoming/ end as dead letters, whole, and hold up nothing else', async () => {
    const wrong = [...inline, ...elsewhere].map((name) => bodies.get(name)!);
    const broken = ['no JSON', '{}', '[]', 'null'];
    await store('between', 'inline_image_incoming.email');
    for (const body of [...wrong, ...broken]) await post(body);
    await post(ours(bodies.get('s3_stored_email')!, 'between', inbox));
    await mailroom.messages(inbox, 3, mailroom.client(), { include_unauthenticated: true });
    const dead = await takeDeadLetters(wrong.length + broken.length);
    expect(dead.sort()).toEqual([...wrong, ...broken].sort());
    const said = new Set(complaints());
    expect(said).toContain(
      'no receipt of a mail that SES stored in incoming/: receipt.action.type: Invalid input: expected "S3"',
    );
    expect(said).toContain(
      'no receipt of a mail that SES stored in incoming/: receipt.action.objectKey: Invalid string: must start with "incoming/"',
    );
    await mailroom.messages(inbox, 3, mailroom.client(), { include_unauthenticated: true });
  });
});
