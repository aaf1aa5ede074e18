import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyPrincipal, Scope } from '../../lib/contract/principal.ts';
import { scopeOfInbox } from '../../lib/contract/scope.ts';
import type { StoredMessage } from '../../lib/core/mail-ports.ts';
import { listThreads } from '../../lib/core/list-threads.ts';
import { getThread, getThreadAttachment } from '../../lib/core/read-threads.ts';
import { getMessage, listMessages } from '../../lib/core/read-messages.ts';
import { newThread, withMessage } from '../../lib/core/thread-state.ts';
import {
  callIn,
  inboxRef,
  keyPrincipal,
  modest,
  newDeed,
  organizationId,
  sampleMessage,
  ulidAt,
} from '../support/mail-samples.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import { MemoryObjects, plainTokens } from '../support/memory-ports.ts';

const inbox = inboxRef();
let mailbox: MemoryMailbox;
let deps: { mailbox: MemoryMailbox; objects: MemoryObjects; tokens: typeof plainTokens };
beforeEach(() => {
  mailbox = new MemoryMailbox();
  deps = { mailbox, objects: new MemoryObjects(), tokens: plainTokens };
});
async function add(
  n: number,
  more: Partial<StoredMessage> = {},
  of = inbox,
  text = `Text ${n}`,
): Promise<void> {
  const message = sampleMessage(n, { thread_id: `thr_${ulidAt(n)}`, body: 'row', ...of, ...more });
  const before = await mailbox.thread(of, message.thread_id);
  const event = {
    event_id: 'evt_x',
    event_type: 'message.received',
    organization_id: '',
    pod_id: '',
    inbox_id: '',
    timestamp: '',
  } as const;
  await mailbox.append({
    inbox: of,
    ses_id: message.message_id,
    digest: message.message_id,
    message,
    bodies: { text },
    ...(before && { before }),
    after: withMessage(before ?? newThread(message), message, ''),
    leads: [],
    event,
    line: sampleLine(n),
  });
}
const on = (principal: KeyPrincipal) => ({ ...callIn(inbox, principal), body: undefined });
const messagesOf = async (query: object, principal = keyPrincipal()) =>
  (await listMessages(deps)({ ...on(principal), path: { inbox_id: inbox.inbox_id }, query })).messages.map(
    ({ message_id }) => message_id,
  );
const threadsOf = async (query: object, principal = keyPrincipal()) =>
  (await listThreads(deps)({ ...on(principal), path: { inbox_id: inbox.inbox_id }, query })).threads.map(
    ({ thread_id }) => thread_id,
  );
const everywhere = async (query: object, principal = keyPrincipal()) => {
  const found: string[] = [];
  let page_token: string | undefined;
  do {
    const page = await listThreads(deps)({
      principal,
      scope: principal.scope,
      deed: newDeed(),
      path: {},
      body: undefined,
      query: { ...query, ...(page_token !== undefined && { page_token }) },
    });
    found.push(...page.threads.map(({ thread_id }) => thread_id));
    page_token = page.next_page_token;
  } while (page_token !== undefined);
  return found;
};
const msg = (...places: number[]) => places.map((n) => `msg_${ulidAt(n)}`);
const thr = (...places: number[]) => places.map((n) => `thr_${ulidAt(n)}`);

describe('filters on messages', () => {
  beforeEach(async () => {
    await add(1, {
      from: 'Ann Example <ann@sender.test>',
      subject: 'Your invoice 4711',
      to: ['ada@mail.test'],
    });
    await add(2, { from: 'Bob <bob@other.test>', subject: 'Lunch?', cc: ['carol@x.test'] });
    await add(3, { from: 'ann@sender.test', subject: 'Re: Your INVOICE 4712' });
  });
  it.each([
    [{ from: ['ann'] }, [3, 1]],
    [{ from: ['ANN@sender.test'] }, [3, 1]],
    [{ from: ['nn'] }, []],
    [{ subject: ['invoice'] }, [3, 1]],
    [{ subject: ['invoice', '4712'] }, [3]],
    [{ subject: ['invoice 47'] }, [3, 1]],
    [{ to: ['carol'] }, [2]],
    [{ from: ['ann'], subject: ['4711'] }, [1]],
    [{ from: ['ann'], limit: 1 }, [3]],
    [{ ascending: true }, [1, 2, 3]],
  ])('%j', async (query, places) => {
    expect(await messagesOf(query)).toEqual(msg(...places));
  });
});

it('times bound a list on both sides, strictly', async () => {
  // The samples' ULIDs count places, not time; these are by their own time.
  const times = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z', '2026-01-01T00:00:00.002Z'];
  const { encodeTime } = await import('ulid');
  const ids = times.map((time) => `msg_${encodeTime(Date.parse(time), 10).toLowerCase()}${'8'.repeat(16)}`);
  for (const [n, message_id] of ids.entries()) await add(n, { message_id });
  expect(await messagesOf({ after: times[0] })).toEqual([ids[2], ids[1]]);
  expect(await messagesOf({ before: times[2] })).toEqual([ids[1], ids[0]]);
  expect(await messagesOf({ after: times[0], before: times[2] })).toEqual([ids[1]]);
  expect(await messagesOf({ after: times[1], before: times[1] })).toEqual([]);
  expect(await messagesOf({ after: '2026-01-01T01:00:00.000+01:00' })).toEqual([ids[2], ids[1]]);
  expect(await messagesOf({ before: '0001-01-01T00:00:00Z' })).toEqual([]);
});

describe('threads of an inbox', () => {
  it('are listed by last activity, by labels and by filters', async () => {
    await add(1, { subject: 'One' });
    await add(2, { subject: 'Two', labels: ['received', 'todo'] });
    await add(3, { labels: ['sent'] });
    await add(4, { thread_id: `thr_${ulidAt(1)}`, labels: ['received', 'todo'] });
    expect(await threadsOf({})).toEqual(thr(1, 2));
    expect(await threadsOf({ labels: ['sent'] })).toEqual(thr(3));
    expect(await threadsOf({ labels: ['todo', 'unread'] })).toEqual(thr(1));
    expect(await threadsOf({ labels: ['constructor'] })).toEqual([]);
    expect(await threadsOf({ subject: ['two'] })).toEqual(thr(2));
    expect(await threadsOf({ senders: ['sender4'] })).toEqual(thr(1));
  });
});

describe('threads of an organization', () => {
  it('are those of every inbox in scope, each once, page by page', async () => {
    const grace = inboxRef('grace');
    const pod = { ...inboxRef('pod'), pod_id: 'pod_a' };
    const other = inboxRef('other', 'org_other');
    for (let n = 0; n < 40; n++)
      await add(
        n,
        { labels: n % 10 === 0 ? ['received', 'spam'] : ['received', n % 2 === 0 ? 'even' : 'odd'] },
        [inbox, grace, pod, other][n % 4],
      );
    const all = Array.from({ length: 40 }, (_, n) => n).reverse();
    const visible = all.filter((n) => n % 10 !== 0 && n % 4 !== 3);
    expect(await everywhere({ limit: 7 })).toEqual(thr(...visible));
    expect(await everywhere({ limit: 7, ascending: true })).toEqual(thr(...visible.toReversed()));
    expect(await everywhere({ limit: 7, include_spam: true })).toEqual(
      thr(...all.filter((n) => n % 4 !== 3)),
    );
    expect(await everywhere({ limit: 7, include_spam: true }, modest)).toEqual(thr(...visible));
    expect(await everywhere({ limit: 7, include_trash: true })).toEqual(thr(...visible));
    expect(await everywhere({ limit: 3, labels: ['odd'] })).toEqual(
      thr(...visible.filter((n) => n % 2 === 1)),
    );
    expect(await everywhere({ labels: ['constructor'] })).toEqual([]);
    expect(
      await everywhere(
        { limit: 3 },
        keyPrincipal({ scope: { organization_id: organizationId, pod_id: 'pod_a' } }),
      ),
    ).toEqual(thr(...visible.filter((n) => n % 4 === 2)));
    expect(await everywhere({ limit: 3 }, keyPrincipal({ scope: scopeOfInbox(grace) }))).toEqual(
      thr(...visible.filter((n) => n % 4 === 1)),
    );
  });

  it('skip places where nobody stands any more', async () => {
    for (let n = 0; n < 10; n++) await add(n);
    const lists = mailbox.organizationThreads.bind(mailbox);
    mailbox.organizationThreads = async (...asked) => {
      const { found, more } = await lists(...asked);
      return {
        found: found.map((one) =>
          one.ulid === ulidAt(9) || one.ulid === ulidAt(4) ? { ...one, thread: undefined } : one,
        ),
        more,
      };
    };
    expect(await everywhere({ limit: 1 })).toEqual(thr(8, 7, 6, 5, 3, 2, 1, 0));
  });
});

describe('one thread', () => {
  const thread_id = `thr_${ulidAt(0)}`;
  const read = (query: object = {}, principal = keyPrincipal()) =>
    getThread(deps)({ ...on(principal), path: { inbox_id: inbox.inbox_id, thread_id }, query });

  it('is found under the thread alone by who has its inbox in scope, and the line says which that is', async () => {
    await add(0, { thread_id });
    const under = (scope: Scope, id = thread_id) => {
      const deed = newDeed({ line: sampleLine(0, { resources: [id] }) });
      const call = { principal: keyPrincipal({ scope }), scope, deed, body: undefined };
      return { deed, answer: getThread(deps)({ ...call, path: { thread_id: id }, query: {} }) };
    };
    for (const scope of [
      { organization_id: organizationId },
      { organization_id: organizationId, pod_id: inbox.pod_id },
    ]) {
      const { answer, deed } = under(scope);
      expect(await answer).toMatchObject({ thread_id, count: 1 });
      expect(deed.line).toMatchObject({ inbox_uid: inbox.uid, pod_id: inbox.pod_id });
    }
    for (const [scope, id] of [
      [{ organization_id: 'org_other' }],
      [{ organization_id: organizationId, pod_id: 'pod_other' }],
      [scopeOfInbox(inboxRef('grace'))],
      [{ organization_id: organizationId }, `thr_${ulidAt(9)}`],
      [{ organization_id: organizationId }, 'no id'],
    ] as [Scope, string?][]) {
      const { answer, deed } = under(scope, id);
      await expect(answer).rejects.toMatchObject({ code: 'not_found' });
      expect(deed.line).not.toHaveProperty('inbox_uid');
    }
  });

  it('comes with its newest messages, old to new, and pages back', async () => {
    for (let n = 0; n < 25; n++) await add(n, { thread_id });
    const pages: string[][] = [];
    let page_token: string | undefined;
    do {
      const page = await read({ limit: 10, ...(page_token !== undefined && { page_token }) });
      pages.push(page.messages.map(({ message_id, text }) => `${message_id} ${text}`));
      expect(page).toMatchObject({ thread_id, message_count: 25 });
      page_token = page.next_page_token;
    } while (page_token !== undefined);
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.toReversed().flat()).toEqual(
      Array.from({ length: 25 }, (_, n) => `msg_${ulidAt(n)} Text ${n}`),
    );
  });

  it('shows no hidden message beside visible ones, and hidden ones only to who may see them', async () => {
    await add(0, { thread_id, labels: ['received', 'spam'] });
    await expect(read({}, modest)).rejects.toMatchObject({ code: 'not_found' });
    expect((await read()).messages).toHaveLength(1);
    await add(1, { thread_id });
    expect((await read()).messages.map(({ message_id }) => message_id)).toEqual(msg(1));
    expect((await read({}, modest)).messages).toHaveLength(1);
  });

  it('ends its page before the answer grows over what a function may answer, and goes on there', async () => {
    for (let n = 0; n < 8; n++) await add(n, { thread_id }, inbox, `${n}${'"'.repeat(450_000)}`);
    const first = await read({ limit: 8 });
    expect(JSON.stringify(JSON.stringify(first)).length).toBeLessThan(5_000_000);
    expect(first.messages.length).toBeGreaterThan(0);
    const rest = await read({ limit: 8, page_token: first.next_page_token! });
    expect(
      [...rest.messages, ...first.messages]
        .slice(-first.count - rest.count)
        .map(({ message_id }) => message_id),
    ).toEqual(
      msg(...Array.from({ length: first.count + rest.count }, (_, n) => 8 - first.count - rest.count + n)),
    );
  });

  it('leads to attachments of its own messages only', async () => {
    const attachments = (n: number) => [{ attachment_id: `att_${ulidAt(n)}_0`, filename: 'a.txt', size: 1 }];
    await add(0, { thread_id, attachments: attachments(0) });
    await add(1, { attachments: attachments(1) });
    const attachment = (attachment_id: string) =>
      getThreadAttachment(deps)({
        ...on(keyPrincipal()),
        path: { inbox_id: inbox.inbox_id, thread_id, attachment_id },
        query: undefined,
      });
    expect(await attachment(`att_${ulidAt(0)}_0`)).toMatchObject({
      filename: 'a.txt',
      download_url: expect.any(String) as string,
    });
    for (const id of [`att_${ulidAt(1)}_0`, `att_${ulidAt(0)}_1`, 'att_x'])
      await expect(attachment(id)).rejects.toMatchObject({ code: 'not_found' });
  });
});

it('a message is found by its id only', async () => {
  await add(1);
  const get = (message_id: string, principal = keyPrincipal()) =>
    getMessage(deps)({
      ...on(principal),
      path: { inbox_id: inbox.inbox_id, message_id },
      query: undefined,
    });
  const found = await get(`msg_${ulidAt(1)}`);
  expect(found).toMatchObject({ text: 'Text 1', labels: ['received', 'unread'] });
  for (const inside of ['uid', 'body', 'digest', 'large', 'quarantined'])
    expect(found).not.toHaveProperty(inside);
  for (const id of [`msg_${ulidAt(2)}`, ulidAt(1), `MSG_${ulidAt(1)}`, '<1@b>'])
    await expect(get(id)).rejects.toMatchObject({ code: 'not_found' });
});
