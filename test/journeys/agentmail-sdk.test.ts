import { AgentMail, AgentMailClient, AgentMailError } from 'agentmail';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import type { Permissions } from '../../lib/contract/permission.ts';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';

// The published client of the wire, unchanged: a base URL and a signing fetch are all it is told.
const mailroom = sharedMailroom();
const gtube = ['XJS*C4JDBQADN1.NSBN3*2IDNEN*', 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL', '*C.34X'].join('');
let sdk: AgentMailClient;
let warned: MockInstance;
let sent: string[];

async function openSdk(permissions?: Permissions): Promise<AgentMailClient> {
  const key = await mailroom.key(permissions);
  const seen: typeof fetch = (url, init) => {
    sent.push(String(url));
    return fetch(url, init);
  };
  const signing = createSigningFetch(key, { fetch: seen, now: () => mailroom.cloud.clock.now() });
  return new AgentMailClient({ apiKey: 'unused', baseUrl: mailroom.cloud.api, fetch: signing });
}

beforeAll(async () => {
  sent = [];
  sdk = await openSdk();
});
beforeEach(() => {
  sent = [];
  warned = vi.spyOn(console, 'warn');
});
afterEach(() => {
  const complaints = warned.mock.calls.map((call) => call.join(' '));
  warned.mockRestore();
  expect(complaints).toEqual([]);
});

/** As a client of the field does: asks again when S3 asks for patience. */
async function download(url: string): Promise<Response> {
  for (;;) {
    const response = await fetch(url);
    if (response.status !== 503) return response;
    await response.arrayBuffer();
  }
}

/** What the promise is refused with. */
async function refusal(promise: Promise<unknown>): Promise<AgentMailError> {
  const error = await promise.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AgentMailError);
  return error as AgentMailError;
}

/** What the client knows of an inbox, with the wire's types parsed; `organization_id` is ours and passes through. */
const anInbox = {
  organization_id: expect.any(String),
  podId: expect.any(String),
  inboxId: expect.any(String),
  email: expect.any(String),
  updatedAt: expect.any(Date),
  createdAt: expect.any(Date),
};

describe('the published client’s inboxes', () => {
  it('are made without a body, with one, and once for a clientId', async () => {
    expect(await sdk.inboxes.create()).toMatchObject(anInbox);
    const made = await sdk.inboxes.create({
      username: 'sdk-made',
      displayName: 'Made By SDK',
      clientId: 'sdk-1',
      metadata: { plan: 'a', seats: 3, on: true },
    });
    expect(made).toMatchObject({
      ...anInbox,
      inboxId: `sdk-made@${domain}`,
      email: `sdk-made@${domain}`,
      displayName: 'Made By SDK',
      clientId: 'sdk-1',
      metadata: { plan: 'a', seats: 3, on: true },
    });
    expect((await sdk.inboxes.create({ username: 'sdk-other', clientId: 'sdk-1' })).inboxId).toBe(
      made.inboxId,
    );
    expect(await sdk.inboxes.get(made.inboxId)).toMatchObject({
      displayName: 'Made By SDK',
      createdAt: made.createdAt,
      clientId: 'sdk-1',
    });
    expect((await sdk.inboxes.get('SDK-Made@Posthorn.TEST')).inboxId).toBe(made.inboxId);
  });

  it('are listed by pages in both directions', async () => {
    const names = ['sdk-list-1', 'sdk-list-2', 'sdk-list-3'];
    for (const username of names) await sdk.inboxes.create({ username });
    const walk = async (ascending: boolean) => {
      const found: string[] = [];
      let pageToken: string | undefined;
      do {
        const page = await sdk.inboxes.list({ limit: 2, ascending, ...(pageToken && { pageToken }) });
        expect(page.count).toBe(page.inboxes.length);
        expect(page.limit).toBe(2);
        for (const one of page.inboxes) expect(one).toMatchObject(anInbox);
        found.push(...page.inboxes.map(({ inboxId }) => inboxId.split('@')[0]!));
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      expect(new Set(found).size).toBe(found.length);
      return found.filter((name) => names.includes(name));
    };
    await mailroom.eventually(async () => expect(await walk(true)).toEqual(names));
    await mailroom.eventually(async () => expect(await walk(false)).toEqual(names.toReversed()));
  });

  it('are updated: metadata merges, null removes a key, null clears all', async () => {
    const { inboxId } = await sdk.inboxes.create({ metadata: { a: 1, b: 'x' } });
    expect(
      await sdk.inboxes.update(inboxId, { displayName: 'New', metadata: { a: null, c: true } }),
    ).toMatchObject({ displayName: 'New', metadata: { b: 'x', c: true } });
    expect((await sdk.inboxes.get(inboxId)).metadata).toEqual({ b: 'x', c: true });
    const cleared = await sdk.inboxes.update(inboxId, { metadata: null });
    expect(cleared.metadata ?? {}).toEqual({});
    expect(cleared.displayName).toBe('New');
    expect((await sdk.inboxes.get(inboxId)).metadata ?? {}).toEqual({});
  });
});

/** An inbox with four mails: the second answers the first, the third has an attachment, the fourth is spam. */
async function filledInbox(username: string): Promise<string> {
  const { inboxId } = await sdk.inboxes.create({ username });
  const id = `<${username}-1@sender.test>`;
  await mailroom.send({ to: inboxId, subject: 'First', text: 'The first one.', messageId: id });
  await mailroom.message(inboxId, 'First');
  await mailroom.send({
    to: inboxId,
    subject: 'Re: First',
    text: 'The second one.',
    inReplyTo: id,
    references: id,
  });
  await mailroom.message(inboxId, 'Re: First');
  const attachments = [{ filename: 'plan ä.txt', content: 'The plan.', contentType: 'text/plain' }];
  await mailroom.send({ to: inboxId, subject: 'With plan', html: '<p>Third <b>one</b></p>', attachments });
  await mailroom.message(inboxId, 'With plan');
  await mailroom.send({ to: inboxId, subject: 'Spam', text: gtube });
  await mailroom.message(inboxId, 'Spam');
  return inboxId;
}

const aMessage = {
  organization_id: expect.any(String),
  inboxId: expect.any(String),
  threadId: expect.stringMatching(/^thr_/),
  messageId: expect.stringMatching(/^msg_/),
  labels: expect.any(Array),
  timestamp: expect.any(Date),
  from: 'Alice <alice@sender.test>',
  to: expect.any(Array),
  size: expect.any(Number),
  updatedAt: expect.any(Date),
  createdAt: expect.any(Date),
};

describe('the published client’s messages', () => {
  let inbox: string;
  beforeAll(async () => {
    inbox = await filledInbox('sdk-messages');
  });
  const subjects = async (query: AgentMail.inboxes.ListMessagesRequest = {}) =>
    (await sdk.inboxes.messages.list(inbox, query)).messages.map(({ subject }) => subject);

  it('are listed, filtered and paged as the client writes its queries', async () => {
    const { messages, count } = await sdk.inboxes.messages.list(inbox);
    expect(messages.map(({ subject }) => subject)).toEqual(['With plan', 'Re: First', 'First']);
    expect(count).toBe(3);
    for (const one of messages) expect(one).toMatchObject({ ...aMessage, inboxId: inbox });
    expect(await subjects({ ascending: true })).toEqual(['First', 'Re: First', 'With plan']);
    expect(await subjects({ includeSpam: true })).toEqual(['Spam', 'With plan', 'Re: First', 'First']);
    expect(
      await subjects({
        labels: ['spam'],
        includeSpam: true,
        includeTrash: true,
        includeBlocked: true,
        includeUnauthenticated: true,
      }),
    ).toEqual(['Spam']);
    expect(await subjects({ labels: ['received', 'unread'] })).toHaveLength(3);
    expect(sent.at(-1)).toContain('labels=%5B%22received%22%2C%22unread%22%5D');
    expect(await subjects({ labels: ['received', 'elsewhere'] })).toEqual([]);
    expect(await subjects({ subject: ['plan'], from: ['alice@sender.test'], to: [inbox] })).toEqual([
      'With plan',
    ]);
    const second = messages[1]!.timestamp;
    expect(await subjects({ before: second })).toEqual(['First']);
    expect(await subjects({ after: second })).toEqual(['With plan']);
    expect(
      await subjects({ before: new Date(second.getTime() + 1), after: new Date(second.getTime() - 1) }),
    ).toEqual(['Re: First']);
    const first = await sdk.inboxes.messages.list(inbox, { limit: 2 });
    expect(first).toMatchObject({ count: 2, limit: 2, nextPageToken: expect.any(String) });
    const rest = await sdk.inboxes.messages.list(inbox, { limit: 2, pageToken: first.nextPageToken! });
    expect(rest.messages.map(({ subject }) => subject)).toEqual(['First']);
    expect(rest.nextPageToken).toBeUndefined();
  });

  it('are read whole, one at a time and many at once', async () => {
    const [third, , first] = (await sdk.inboxes.messages.list(inbox)).messages;
    const message = await sdk.inboxes.messages.get(inbox, third!.messageId);
    expect(message).toMatchObject({
      ...aMessage,
      subject: 'With plan',
      html: expect.stringContaining('<b>one</b>'),
      extractedHtml: expect.any(String),
      headers: expect.any(Object),
    });
    expect(message.attachments).toEqual([
      expect.objectContaining({
        attachmentId: expect.any(String),
        filename: 'plan ä.txt',
        size: 9,
        contentType: 'text/plain',
        contentDisposition: 'attachment',
      }),
    ]);
    // What is ours beside the wire passes through under its own name.
    expect(message).toMatchObject({ authentication: { spf: 'PASS', dmarc: 'PASS' } });
    expect(await sdk.inboxes.messages.get(inbox, first!.messageId)).toMatchObject({
      text: expect.stringContaining('The first one.'),
      extractedText: expect.stringContaining('The first one.'),
      preview: expect.stringContaining('The first one.'),
    });
    const { messages, count } = await sdk.inboxes.messages.batchGet(inbox, {
      messageIds: [first!.messageId, 'msg_none', third!.messageId],
    });
    expect(count).toBe(2);
    expect(messages.map(({ messageId }) => messageId)).toEqual([first!.messageId, third!.messageId]);
    expect(messages[0]).toMatchObject(aMessage);
  });

  it('change their labels, one at a time and many at once', async () => {
    const [{ messageId: one }, { messageId: other }] = (await sdk.inboxes.messages.list(inbox)).messages as [
      AgentMail.MessageItem,
      AgentMail.MessageItem,
    ];
    expect(
      await sdk.inboxes.messages.update(inbox, one, { addLabels: ['Read It'], removeLabels: ['unread'] }),
    ).toEqual({ messageId: one, labels: ['read it', 'received'] });
    expect(await sdk.inboxes.messages.update(inbox, one, { addLabels: 'single' })).toMatchObject({
      labels: ['read it', 'received', 'single'],
    });
    const { updates, count } = await sdk.inboxes.messages.batchUpdate(inbox, {
      messageIds: [other, one],
      addLabels: ['both'],
      removeLabels: ['single'],
    });
    expect(count).toBe(2);
    expect(updates).toEqual([
      { messageId: other, labels: ['both', 'received', 'unread'] },
      { messageId: one, labels: ['both', 'read it', 'received'] },
    ]);
    expect(
      (await sdk.inboxes.messages.list(inbox, { labels: ['both', 'unread'] })).messages.map(
        ({ messageId }) => messageId,
      ),
    ).toEqual([other]);
  });

  it('hand out the raw mail and attachments by URLs that need no header', async () => {
    const { messageId, attachments } = (await sdk.inboxes.messages.list(inbox, { subject: ['plan'] }))
      .messages[0]!;
    const raw = await sdk.inboxes.messages.getRaw(inbox, messageId);
    expect(raw).toMatchObject({ messageId, size: expect.any(Number), expiresAt: expect.any(Date) });
    const bytes = Buffer.from(await (await download(raw.downloadUrl)).arrayBuffer());
    expect(bytes.length).toBe(raw.size);
    expect(bytes.toString()).toContain('Subject: With plan');
    const attachment = await sdk.inboxes.messages.getAttachment(
      inbox,
      messageId,
      attachments![0]!.attachmentId,
    );
    expect(attachment).toMatchObject({
      attachmentId: attachments![0]!.attachmentId,
      filename: 'plan ä.txt',
      size: 9,
      expiresAt: expect.any(Date),
    });
    expect(await (await download(attachment.downloadUrl)).text()).toBe('The plan.');
  });

  it('are deleted', async () => {
    await mailroom.send({ to: inbox, subject: 'To go' });
    const { message_id } = await mailroom.message(inbox, 'To go');
    expect(await sdk.inboxes.messages.delete(inbox, message_id)).toBeUndefined();
    expect(await refusal(sdk.inboxes.messages.get(inbox, message_id))).toBeInstanceOf(
      AgentMail.NotFoundError,
    );
    expect(await refusal(sdk.inboxes.messages.delete(inbox, message_id))).toBeInstanceOf(
      AgentMail.NotFoundError,
    );
    expect(await subjects()).not.toContain('To go');
  });
});

const aThread = {
  inboxId: expect.any(String),
  threadId: expect.stringMatching(/^thr_/),
  labels: expect.any(Array),
  timestamp: expect.any(Date),
  receivedTimestamp: expect.any(Date),
  senders: ['Alice <alice@sender.test>'],
  recipients: expect.any(Array),
  lastMessageId: expect.stringMatching(/^msg_/),
  messageCount: expect.any(Number),
  size: expect.any(Number),
  updatedAt: expect.any(Date),
  createdAt: expect.any(Date),
};

// The same calls with an inbox in front and without one.
describe.each(['of an inbox', 'of the organization'])('the published client’s threads %s', (whose) => {
  let inbox: string;
  beforeAll(async () => {
    inbox = await filledInbox(whose === 'of an inbox' ? 'sdk-threads' : 'sdk-all-threads');
  });
  const { list, get, update, remove, getAttachment } =
    whose === 'of an inbox'
      ? {
          list: (query: AgentMail.ListThreadsRequest = {}) => sdk.inboxes.threads.list(inbox, query),
          get: (id: string, query: AgentMail.GetThreadRequest = {}) =>
            sdk.inboxes.threads.get(inbox, id, query),
          update: (id: string, body: AgentMail.UpdateThreadRequest) =>
            sdk.inboxes.threads.update(inbox, id, body),
          remove: (id: string) => sdk.inboxes.threads.delete(inbox, id),
          getAttachment: (id: string, attachment: string) =>
            sdk.inboxes.threads.getAttachment(inbox, id, attachment),
        }
      : {
          list: async (query: AgentMail.ListThreadsRequest = {}) => {
            const page = await sdk.threads.list(query);
            return { ...page, threads: page.threads.filter(({ inboxId }) => inboxId === inbox) };
          },
          get: (id: string, query: AgentMail.GetThreadRequest = {}) => sdk.threads.get(id, query),
          update: (id: string, body: AgentMail.UpdateThreadRequest) => sdk.threads.update(id, body),
          remove: (id: string) => sdk.threads.delete(id),
          getAttachment: (id: string, attachment: string) => sdk.threads.getAttachment(id, attachment),
        };
  const subjects = async (query: AgentMail.ListThreadsRequest = {}) =>
    (await list(query)).threads.map(({ subject }) => subject);
  // The organization's list is an index, which may be a moment behind.
  const listed = (query: AgentMail.ListThreadsRequest, expected: string[]) =>
    mailroom.eventually(async () => expect(await subjects(query)).toEqual(expected));

  it('are listed, filtered and paged', async () => {
    await listed({}, ['With plan', 'First']);
    await listed({ includeSpam: true, includeUnauthenticated: true }, ['Spam', 'With plan', 'First']);
    await listed({ ascending: true }, ['First', 'With plan']);
    const { threads } = await list();
    for (const one of threads) expect(one).toMatchObject({ ...aThread, inboxId: inbox });
    expect(threads[1]).toMatchObject({ messageCount: 2 });
    expect(
      await subjects({
        labels: ['unread', 'received'],
        recipients: [inbox],
        senders: ['alice'],
        subject: ['first'],
      }),
    ).toEqual(['First']);
    expect(await subjects({ before: threads[0]!.timestamp, recipients: [inbox] })).toEqual(['First']);
    expect(await subjects({ after: threads[1]!.timestamp, recipients: [inbox] })).toEqual(['With plan']);
    const found: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await list({ limit: 1, ...(pageToken && { pageToken }) });
      found.push(...page.threads.map(({ subject }) => subject!));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    expect(found).toEqual(['With plan', 'First']);
  });

  it('are read with their messages, by pages, and hand out attachments', async () => {
    await listed({}, ['With plan', 'First']);
    const [plan, first] = (await list()).threads;
    const thread = await get(first!.threadId);
    expect(thread).toMatchObject({ ...aThread, subject: 'First', messageCount: 2 });
    expect(thread.messages.map(({ subject, text }) => [subject, text?.trim()])).toEqual([
      ['First', 'The first one.'],
      ['Re: First', 'The second one.'],
    ]);
    for (const one of thread.messages) expect(one).toMatchObject(aMessage);
    const newest = await get(first!.threadId, { limit: 1 });
    expect(newest.messages.map(({ subject }) => subject)).toEqual(['Re: First']);
    const oldest = await get(first!.threadId, {
      limit: 1,
      pageToken: (newest as { nextPageToken?: string }).nextPageToken!,
    });
    expect(oldest.messages.map(({ subject }) => subject)).toEqual(['First']);
    const { attachmentId } = (await get(plan!.threadId)).attachments![0]!;
    const { downloadUrl } = await getAttachment(plan!.threadId, attachmentId);
    expect(await (await download(downloadUrl)).text()).toBe('The plan.');
    expect(await refusal(getAttachment(first!.threadId, attachmentId))).toBeInstanceOf(
      AgentMail.NotFoundError,
    );
  });

  it('change labels and are deleted, with all their messages', async () => {
    await listed({}, ['With plan', 'First']);
    const { threadId } = (await list()).threads[1]!;
    expect(await update(threadId, { addLabels: ['done'], removeLabels: ['unread'] })).toEqual({
      threadId,
      labels: ['done', 'received'],
    });
    for (const { labels } of (await get(threadId)).messages) expect(labels).toEqual(['done', 'received']);
    await listed({ labels: ['done'] }, ['First']);
    const { messages } = await get(threadId);
    expect(await remove(threadId)).toBeUndefined();
    expect(await refusal(get(threadId))).toBeInstanceOf(AgentMail.NotFoundError);
    expect(await refusal(sdk.inboxes.messages.get(inbox, messages[0]!.messageId))).toBeInstanceOf(
      AgentMail.NotFoundError,
    );
    await listed({}, ['With plan']);
  });
});

describe('the published client', () => {
  it('is told who it is and what its organization is', async () => {
    expect(await sdk.auth.me()).toMatchObject({
      scopeType: 'organization',
      scopeId: mailroom.organization_id,
      organizationId: mailroom.organization_id,
      apiKeyId: expect.stringMatching(/^key_/),
    });
    expect(await sdk.organizations.get()).toMatchObject({
      organizationId: mailroom.organization_id,
      inboxCount: expect.any(Number),
      domainCount: expect.any(Number),
      updatedAt: expect.any(Date),
      createdAt: expect.any(Date),
    });
  });

  it('throws its own classes for refusals, with what to do about them', async () => {
    const { inboxId } = await sdk.inboxes.create({ username: 'sdk-refused' });
    const absent = [
      sdk.inboxes.get(`nobody@${domain}`),
      sdk.inboxes.messages.get(inboxId, '<odd-id+1@x.test>'),
      sdk.inboxes.messages.list(`nobody@${domain}`),
      sdk.inboxes.update(`nobody@${domain}`, { displayName: 'X' }),
      sdk.threads.get('thr_none'),
      sdk.inboxes.threads.get(inboxId, 'thr_none'),
    ];
    for (const error of await Promise.all(absent.map(refusal))) {
      expect(error).toBeInstanceOf(AgentMail.NotFoundError);
      expect(error).toMatchObject({
        statusCode: 404,
        body: { name: 'NotFoundError', code: 'not_found', message: expect.any(String) },
      });
    }
    const wrong = await refusal(sdk.inboxes.create({ username: 'two words' }));
    expect(wrong).toBeInstanceOf(AgentMail.ValidationError);
    expect(wrong).toMatchObject({
      statusCode: 400,
      body: {
        name: 'ValidationError',
        code: 'validation_error',
        fix: expect.any(String),
        errors: [{ path: ['username'], message: expect.any(String) }],
      },
    });
    const system = await refusal(
      sdk.inboxes.messages.batchUpdate(inboxId, { messageIds: ['msg_1'], addLabels: ['sent'] }),
    );
    expect(system).toBeInstanceOf(AgentMail.ValidationError);
    expect(JSON.stringify(system.body)).toContain('Cannot use system label: sent');
    const taken = await refusal(sdk.inboxes.create({ username: 'sdk-refused' }));
    expect(taken).toMatchObject({
      statusCode: 403,
      body: { name: 'IsTakenError', code: 'already_exists', suggestions: expect.any(Array) },
    });
    const modest = await openSdk({ inbox_read: true });
    const forbidden = await refusal(modest.inboxes.create());
    expect(forbidden).toMatchObject({ statusCode: 403 });
  });

  it('is refused with 401 when its key is unknown', async () => {
    const stranger = new AgentMailClient({ apiKey: 'am_us_nobody', baseUrl: mailroom.cloud.api });
    expect(await refusal(stranger.inboxes.list())).toMatchObject({
      statusCode: 401,
      body: { name: 'UnauthorizedError' },
    });
  });
});

describe('the stock client without a signature', () => {
  const plain = (apiKey: string) =>
    new AgentMailClient({ apiKey, baseUrl: mailroom.cloud.api, maxRetries: 5 });

  it('works with a minted token, as far as the token goes', async () => {
    const client = mailroom.client();
    const inbox_id = await mailroom.inbox(client);
    const { token } = await client.auth.token({ inbox_id, permissions: { inbox_read: true } });
    const agent = plain(token);
    expect((await agent.inboxes.get(inbox_id)).inboxId).toBe(inbox_id);
    expect((await agent.auth.me()).scopeType).toBe('inbox');
    await expect(agent.inboxes.messages.list(inbox_id)).rejects.toMatchObject({ statusCode: 403 });
    mailroom.cloud.clock.advance(901_000);
    await expect(agent.inboxes.get(inbox_id)).rejects.toMatchObject({ statusCode: 401 });
  });

  it('works with a bearer key where the organization takes them, and nowhere else', async () => {
    const { client } = await mailroom.organization();
    await expect(client.apiKeys.create({ type: 'bearer' })).rejects.toMatchObject({ status: 403 });
    await client.organizations.update({ bearer_keys: true });
    const made = await client.apiKeys.create({ type: 'bearer', name: 'CI' });
    if (made.type !== 'bearer') throw new Error('another kind of key was made');
    const agent = plain(made.api_key!);
    const { inboxId } = await agent.inboxes.create({ username: 'by-bearer' });
    await mailroom.eventually(async () =>
      expect((await agent.inboxes.list()).inboxes.map((one) => one.inboxId)).toEqual([inboxId]),
    );
    // Public keys it reads only where they are P-256: of an Ed25519 one it warns.
    await mailroom.eventually(async () => {
      const listed = await agent.apiKeys.list({ type: 'bearer' });
      expect(listed.apiKeys.map(({ type }) => type)).toEqual(['bearer']);
    });
    expect(await agent.apiKeys.get(made.api_key_id)).toMatchObject({ type: 'bearer', name: 'CI' });
    await client.organizations.update({ bearer_keys: false });
    await expect(agent.inboxes.create({ username: 'too-late' })).rejects.toMatchObject({ statusCode: 401 });
  });
});
