import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { entryWrites } from '../../lib/adapters/dynamo/list-rows.ts';
import { addressKey, messageKey } from '../../lib/adapters/dynamo/keys.ts';
import { messageRow } from '../../lib/adapters/dynamo/message-rows.ts';
import { threadWrite } from '../../lib/adapters/dynamo/thread-rows.ts';
import { newUlid } from '../../lib/adapters/ulids.ts';
import { hiddenLabels } from '../../lib/contract/label.ts';
import type { MessageItem } from '../../lib/contract/message.ts';
import type { Client } from '../../lib/sdk/client.ts';
import type { StoredMessage } from '../../lib/core/mail-ports.ts';
import { messageEntries, ulidOf } from '../../lib/core/message-lists.ts';
import { newThread, threadEntries, withMessage } from '../../lib/core/thread-state.ts';
import { Database } from '../../lib/local/dynamodb/store/database.ts';
import { Rows } from '../../lib/local/dynamodb/store/rows.ts';
import {
  indexPlace,
  itemPlace,
  projected,
  type IndexShape,
  type Table,
  type TableShape,
} from '../../lib/local/dynamodb/store/table.ts';
import { itemSize } from '../../lib/local/dynamodb/value/size.ts';
import { openCloud, type OpenCloud } from '../support/local-cloud.ts';
import { sharedMailroom } from '../support/mailroom.ts';
import { thorough } from '../support/thorough.ts';

const mailroom = sharedMailroom();
const code = (wanted: string, status: number) => expect.objectContaining({ code: wanted, status });
/** A 400 that names the field. */
const invalid = (...path: string[]) =>
  expect.objectContaining({
    code: 'validation_error',
    status: 400,
    detail: expect.objectContaining({ errors: expect.arrayContaining([expect.objectContaining({ path })]) }),
  });

const count = 10;
let client: Client;
let inbox: string;
/** Newest first. */
let all: MessageItem[];

const subjects = async (query: Parameters<Client['inboxes']['messages']['list']>[1] = {}, by = client) =>
  (await by.inboxes.messages.list(inbox, query)).messages.map(({ subject }) => subject);
const names = (...numbers: number[]) => numbers.map((n) => `Mail ${n}`);

/** Sends `Mail from` to `Mail to`, each a second or more after the one before. */
async function sendMails(address: string, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) {
    mailroom.cloud.clock.advance(1500);
    await mailroom.send({
      to: address,
      subject: `Mail ${n}`,
      from: n % 2 ? 'Bob Builder <bob@sender.test>' : 'Alice <alice@sender.test>',
      text: `This is mail ${n}.`,
    });
  }
}

beforeAll(async () => {
  client = mailroom.client();
  inbox = await mailroom.inbox(client, 'reader');
  await sendMails(inbox, 1, count);
  all = await mailroom.messages(inbox, count);
});

describe('a list of messages', () => {
  it('has the newest first, or the oldest', async () => {
    expect(all.map(({ subject }) => subject)).toEqual(names(10, 9, 8, 7, 6, 5, 4, 3, 2, 1));
    expect(await subjects({ ascending: true })).toEqual(all.map(({ subject }) => subject).toReversed());
    expect(await subjects({ limit: 3 })).toEqual(names(10, 9, 8));
    expect(await subjects({ limit: 3, ascending: true })).toEqual(names(1, 2, 3));
    for (const one of all) expect(Object.keys(one)).not.toEqual(expect.arrayContaining(['text']));
  });

  it('has its limits, and says which', async () => {
    const bad = [
      { limit: 0 },
      { limit: 501 },
      { limit: 1.5 },
      { limit: -1 },
      { limit: 101, labels: ['unread'] },
      { limit: 101, from: ['bob'] },
      { limit: 101, to: ['x'] },
      { limit: 101, subject: ['x'] },
    ];
    for (const query of bad)
      await expect(client.inboxes.messages.list(inbox, query), JSON.stringify(query)).rejects.toEqual(
        invalid('limit'),
      );
    for (const query of [{ limit: 1 }, { limit: 101 }, { limit: 500 }, { limit: 100, labels: ['unread'] }])
      expect((await client.inboxes.messages.list(inbox, query)).limit).toBe(query.limit);
    for (const query of [
      { limit: 101, senders: ['bob'] },
      { limit: 101, recipients: ['x'] },
      { limit: 101, labels: ['x'] },
    ]) {
      await expect(client.inboxes.threads.list(inbox, query)).rejects.toEqual(invalid('limit'));
      await expect(client.threads.list(query)).rejects.toEqual(invalid('limit'));
    }
    await expect(client.inboxes.messages.list(inbox, { before: 'yesterday' })).rejects.toEqual(
      invalid('before'),
    );
  });

  it('ends before `before` and begins after `after`, excluding both', async () => {
    const at = (n: number) => all[count - n]!.timestamp;
    expect(await subjects({ before: at(4) })).toEqual(names(3, 2, 1));
    expect(await subjects({ after: at(8) })).toEqual(names(10, 9));
    expect(await subjects({ after: at(3), before: at(7) })).toEqual(names(6, 5, 4));
    expect(await subjects({ after: at(3), before: at(7), ascending: true, labels: ['unread'] })).toEqual(
      names(4, 5, 6),
    );
    expect(await subjects({ after: at(7), before: at(3) })).toEqual([]);
    expect(await subjects({ before: at(2).replace('Z', '+00:00') })).toEqual(names(1));
    expect(await subjects({ before: '1970-01-01T00:00:00Z' })).toEqual([]);
    expect(await subjects({ after: '9999-12-31T23:59:59Z' })).toEqual([]);
  });

  it('takes several labels as all of them', async () => {
    const [a, b, c] = all as [MessageItem, MessageItem, MessageItem];
    await client.inboxes.messages.update(inbox, a.message_id, { add_labels: ['red'] });
    await client.inboxes.messages.update(inbox, b.message_id, { add_labels: ['red', 'blue'] });
    await client.inboxes.messages.update(inbox, c.message_id, {
      add_labels: ['blue'],
      remove_labels: ['unread'],
    });
    expect(await subjects({ labels: ['red'] })).toEqual(names(10, 9));
    expect(await subjects({ labels: ['red', ' BLUE '] })).toEqual(names(9));
    expect(await subjects({ labels: ['blue', 'unread', 'received'] })).toEqual(names(9));
    expect(await subjects({ labels: ['red', 'nobody has this'] })).toEqual([]);
    expect(await subjects({ labels: ['blue'], ascending: true })).toEqual(names(8, 9));
  });

  it('takes words of sender, recipient and subject, and beginnings of them', async () => {
    const odd = names(9, 7, 5, 3, 1);
    expect(await subjects({ from: ['bob'] })).toEqual(odd);
    expect(await subjects({ from: ['BOB@sender.test'] })).toEqual(odd);
    expect(await subjects({ from: ['Build'] })).toEqual(odd);
    expect(await subjects({ from: ['uilder'] })).toEqual([]);
    expect(await subjects({ from: ['bob', 'alice'] })).toEqual([]);
    expect(
      await subjects({ to: [inbox], subject: ['mail'], from: ['bob'], labels: ['unread'], limit: 2 }),
    ).toEqual(names(9, 7));
    expect(await subjects({ subject: ['mail 1'] })).toEqual(names(10, 1));
    expect(await subjects({ subject: ['mail'], from: ['bob'], ascending: true, limit: 3 })).toEqual(
      names(1, 3, 5),
    );
  });
});

describe('a page token', () => {
  const list = (query: Parameters<Client['inboxes']['messages']['list']>[1], by = client, of = inbox) =>
    by.inboxes.messages.list(of, query);

  it('goes on where its page ended, also by pages of another size', async () => {
    const { next_page_token: page_token } = await list({ limit: 4 });
    expect(
      (await list({ limit: 4, page_token: page_token! })).messages.map(({ subject }) => subject),
    ).toEqual(names(6, 5, 4, 3));
    expect(
      (await list({ limit: 2, page_token: page_token! })).messages.map(({ subject }) => subject),
    ).toEqual(names(6, 5));
    const rest = await list({ limit: 500, page_token: page_token! });
    expect(rest.messages.map(({ subject }) => subject)).toEqual(names(6, 5, 4, 3, 2, 1));
    expect(rest.next_page_token).toBeUndefined();
    expect((await list({ limit: count })).next_page_token).toBeUndefined();
  });

  it('that was tampered with is refused, whichever byte', async () => {
    const token = (await list({ limit: 4 })).next_page_token!;
    const forged = Array.from(
      { length: token.length },
      (_, at) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1),
    ).filter((_, at) => at % 7 === 0 || at > token.length - 3);
    for (const page_token of [
      ...forged,
      token.slice(0, -1),
      `${token}A`,
      token.slice(4),
      'x',
      '',
      Buffer.from('{"after":"0"}').toString('base64url'),
    ]) {
      await expect(list({ limit: 4, page_token }), page_token).rejects.toEqual(invalid('page_token'));
    }
  });

  it('of one list opens no other', async () => {
    const page_token = (await list({ limit: 4 })).next_page_token!;
    const other = await mailroom.inbox();
    for (const query of [
      { labels: ['unread'] },
      { from: ['bob'] },
      { ascending: true },
      { before: all[0]!.timestamp },
      { include_trash: true },
    ]) {
      await expect(list({ limit: 4, page_token, ...query }), JSON.stringify(query)).rejects.toEqual(
        invalid('page_token'),
      );
    }
    await expect(list({ page_token }, client, other)).rejects.toEqual(invalid('page_token'));
    await expect(client.inboxes.threads.list(inbox, { page_token })).rejects.toEqual(invalid('page_token'));
    await expect(client.threads.list({ page_token })).rejects.toEqual(invalid('page_token'));
    await expect(client.inboxes.list({ page_token })).rejects.toEqual(invalid('page_token'));
    const hidden = (await list({ limit: 4, include_trash: true })).next_page_token!;
    const modest = await mailroom.clientWith({ message_read: true });
    await expect(list({ limit: 4, include_trash: true, page_token: hidden }, modest)).rejects.toEqual(
      invalid('page_token'),
    );
    const { client: stranger } = await mailroom.organization();
    await expect(list({ limit: 4, page_token }, stranger)).rejects.toEqual(code('not_found', 404));
    await expect(list({ limit: 4, page_token }, stranger, await mailroom.inbox(stranger))).rejects.toEqual(
      invalid('page_token'),
    );
  });

  it.each([false, true])(
    'followed to the end gives each message exactly once while new mail comes (ascending: %s)',
    async (ascending) => {
      const busy = await mailroom.inbox();
      await sendMails(busy, 1, 6);
      await mailroom.messages(busy, 6);
      const found: string[] = [];
      let page_token: string | undefined;
      let n = 6;
      do {
        const page = await list({ limit: 2, ascending, ...(page_token && { page_token }) }, client, busy);
        found.push(...page.messages.map(({ subject }) => subject!));
        page_token = page.next_page_token;
        if (n < 8) {
          await sendMails(busy, n + 1, n + 1);
          await mailroom.message(busy, `Mail ${++n}`);
        }
      } while (page_token !== undefined);
      expect(found).toEqual(ascending ? names(1, 2, 3, 4, 5, 6, 7, 8) : names(6, 5, 4, 3, 2, 1));
    },
  );
});

/** Ids of the right form that nobody has. */
const nobodys = (n: number) => Array.from({ length: n }, (_, at) => `msg_01k${String(at).padStart(23, '0')}`);

describe('many messages at once', () => {
  it('are read in the order asked, without bodies and without what is not there', async () => {
    const other = await mailroom.inbox();
    await mailroom.send({ to: other, subject: 'Elsewhere' });
    const elsewhere = (await mailroom.message(other, 'Elsewhere')).message_id;
    const [a, b, c] = all.map(({ message_id }) => message_id) as [string, string, string];
    const ids = [c, 'msg_x', a, '__proto__', elsewhere, b, ...nobodys(494)];
    const found = await client.inboxes.messages.batchGet(inbox, ids);
    expect(found).toMatchObject({ limit: 500, count: 3 });
    expect(found.messages.map(({ message_id }) => message_id)).toEqual([c, a, b]);
    expect(found.messages.every((one) => !('text' in one || 'html' in one || 'headers' in one))).toBe(true);
    for (const wrong of [[...ids, 'msg_one-too-many'], [a, b, a], [], [''], ['x'.repeat(129)]]) {
      await expect(client.inboxes.messages.batchGet(inbox, wrong)).rejects.toMatchObject({
        code: 'validation_error',
        detail: { errors: [{ path: expect.arrayContaining(['message_ids']) }] },
      });
    }
  });

  it('change their labels, each as a whole or not at all', async () => {
    const place = await mailroom.inbox();
    await sendMails(place, 1, 3);
    const [three, two, one] = (await mailroom.messages(place, 3)).map(({ message_id }) => message_id) as [
      string,
      string,
      string,
    ];
    const { updates, ...numbers } = await client.inboxes.messages.batchUpdate(place, {
      message_ids: [one, 'msg_none', two, ...nobodys(47)],
      add_labels: 'seen',
      remove_labels: ['unread'],
    });
    expect(numbers).toEqual({ limit: 50, count: 2 });
    expect(updates).toEqual([one, two].map((message_id) => ({ message_id, labels: ['received', 'seen'] })));
    for (const message_ids of [[...nobodys(50), one], [one, one], []]) {
      await expect(
        client.inboxes.messages.batchUpdate(place, { message_ids, add_labels: ['x'] }),
      ).rejects.toMatchObject({
        code: 'validation_error',
        detail: { errors: [{ path: expect.arrayContaining(['message_ids']) }] },
      });
    }
    await client.inboxes.messages.update(place, two, {
      add_labels: Array.from({ length: 14 }, (_, n) => `own ${n}`),
    });
    await expect(
      client.inboxes.messages.batchUpdate(place, {
        message_ids: [three, two],
        add_labels: ['last'],
        remove_labels: ['unread', 'received2'],
      }),
    ).rejects.toEqual(code('validation_error', 400));
    const after = await client.inboxes.messages.batchGet(place, [three, two]);
    expect(after.messages[0]!.labels).toEqual(['last', 'received']);
    expect(after.messages[1]!.labels).toHaveLength(16);
    expect(after.messages[1]!.labels).not.toContain('last');
  });
});

describe('labels', () => {
  let place: string;
  let id: string;
  const update = (body: Parameters<Client['inboxes']['messages']['update']>[2]) =>
    client.inboxes.messages.update(place, id, body);
  beforeAll(async () => {
    place = await mailroom.inbox();
    await mailroom.send({ to: place, subject: 'Labels' });
    id = (await mailroom.message(place, 'Labels')).message_id;
  });

  it('are trimmed and in lower case, strings or lists; on both lists they end up removed', async () => {
    expect(await update({ add_labels: ['  To Do ', 'TO DO', 'x'] })).toEqual({
      message_id: id,
      labels: ['received', 'to do', 'unread', 'x'],
    });
    expect((await update({ add_labels: ['X', 'y'], remove_labels: ['x ', 'to do'] })).labels).toEqual([
      'received',
      'unread',
      'y',
    ]);
    expect((await update({ remove_labels: ' Y' })).labels).toEqual(['received', 'unread']);
    expect((await update({ remove_labels: ['never there'] })).labels).toEqual(['received', 'unread']);
  });

  it('of the system are refused with one clear sentence', async () => {
    for (const body of [
      { add_labels: ['sent'] },
      { remove_labels: ['SENT'] },
      { add_labels: 'sent' },
      { add_labels: ['fine', 'sent'] },
    ]) {
      await expect(update(body)).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('Cannot use system label: sent'),
      });
    }
    await expect(update({ remove_labels: ['received'] })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Cannot use system label: received'),
    });
    expect((await client.inboxes.messages.get(place, id)).labels).toEqual(['received', 'unread']);
  });

  it('have 256 characters at most, and at least one', async () => {
    expect((await update({ add_labels: ['ä'.repeat(256)] })).labels).toContain('ä'.repeat(256));
    for (const body of [
      { add_labels: ['x'.repeat(257)] },
      { add_labels: [''] },
      { add_labels: ['  '] },
      { add_labels: [] },
      {},
      { add_labels: null },
    ]) {
      await expect(update(body), JSON.stringify(body)).rejects.toEqual(code('validation_error', 400));
    }
    await update({ remove_labels: ['ä'.repeat(256)] });
  });

  it('may be any text, but one', async () => {
    const odd = [
      'a#b',
      '#',
      'constructor',
      'toString',
      'a/b?c=d&e',
      '[1]',
      '"q"',
      'a,b',
      '日本語',
      '🦌',
      '%40',
      'l#v#unread',
      'o#x',
    ];
    await update({ add_labels: odd });
    for (const label of odd) {
      expect((await client.inboxes.messages.list(place, { labels: [label] })).count, label).toBe(1);
      expect((await client.inboxes.threads.list(place, { labels: [label] })).count, label).toBe(1);
    }
    expect((await client.inboxes.messages.list(place, { labels: ['unread#'] })).count).toBe(0);
    expect((await update({ remove_labels: odd })).labels).toEqual(['received', 'unread']);
    await expect(update({ add_labels: ['__proto__'] })).rejects.toEqual(code('validation_error', 400));
    expect((await client.inboxes.messages.list(place, { labels: ['__proto__'] })).count).toBe(0);
  });

  it('of one’s own are 15 on a message', async () => {
    const own = Array.from({ length: 15 }, (_, n) => `own-${n}`);
    expect((await update({ add_labels: own })).labels).toHaveLength(17);
    await expect(update({ add_labels: ['one more'] })).rejects.toMatchObject({
      code: 'validation_error',
      message: expect.stringContaining('15'),
    });
    expect((await update({ add_labels: ['trash'] })).labels).toHaveLength(18);
    expect((await update({ add_labels: ['one more'], remove_labels: ['own-0', 'trash'] })).labels).toContain(
      'one more',
    );
    await expect(update({ add_labels: Array.from({ length: 16 }, (_, n) => `n${n}`) })).rejects.toEqual(
      code('validation_error', 400),
    );
    await update({ remove_labels: [...own.slice(1)] });
    expect((await update({ remove_labels: ['one more'] })).labels).toEqual(['received', 'unread']);
  });
});

/** As a client of the field does: asks again when S3 asks for patience. */
async function download(url: string | URL, init?: RequestInit): Promise<Response> {
  for (;;) {
    const response = await fetch(url, init);
    if (response.status !== 503) return response;
    await response.arrayBuffer();
  }
}

/** Keys of the mail bucket, as its owner sees them. */
async function objectsIn(Prefix: string): Promise<string[]> {
  const { aws: endpoint, operator, refs, clock } = mailroom.cloud;
  const credentials = { accessKeyId: operator.access_key_id, secretAccessKey: operator.secret_access_key };
  const s3 = new S3Client({
    endpoint,
    region: operator.region,
    credentials,
    forcePathStyle: true,
    systemClockOffset: clock.now() - Date.now(),
  });
  const [, Bucket] = Object.entries(refs).find(([id]) => /bucket[0-9A-F]{8}$/.test(id))!;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  s3.destroy();
  return Contents.map(({ Key }) => Key!);
}

describe('what is downloaded', () => {
  it('is the exact text and html of a large mail', async () => {
    const place = await mailroom.inbox();
    const text = `${'Grüße, line of text.\r\n'.repeat(60_000)}end`;
    const html = `<p>${'ä paragraph '.repeat(100_000)}</p>`;
    await mailroom.send({ to: place, subject: 'Large', text, html });
    const large = await mailroom.message(place, 'Large');
    expect(large).toMatchObject({
      text_truncated: true,
      text_url: expect.any(String),
      html_url: expect.any(String),
      preview: expect.stringContaining('Grüße'),
    });
    for (const name of ['text', 'html', 'extracted_text', 'extracted_html'])
      expect(large).not.toHaveProperty(name);
    const bodyOf = async (url: string) => {
      const response = await download(url);
      expect(response.headers.get('content-disposition')).toMatch(/^attachment/);
      return (await response.text()).replaceAll('\r\n', '\n').trimEnd();
    };
    const digest = (body: string) => [body.length, createHash('sha256').update(body).digest('hex')];
    expect(digest(await bodyOf(large.text_url!))).toEqual(digest(text.replaceAll('\r\n', '\n')));
    expect(digest(await bodyOf(large.html_url!))).toEqual(digest(html));
    const [thread] = (await client.inboxes.threads.get(place, large.thread_id)).messages;
    expect(thread).toMatchObject({ text_truncated: true, text_url: expect.any(String) });
    expect(await subjects({}, client)).toHaveLength(count);
  });

  it('needs no header, is an attachment, and ends after its hour', async () => {
    const place = await mailroom.inbox();
    await mailroom.send({
      to: place,
      subject: 'Files',
      attachments: [{ filename: 'page.html', content: '<script>1</script>', contentType: 'text/html' }],
    });
    const { message_id, attachments } = await mailroom.message(place, 'Files');
    const file = await client.inboxes.messages.getAttachment(
      place,
      message_id,
      attachments![0]!.attachment_id,
    );
    const raw = await client.inboxes.messages.getRaw(place, message_id);
    for (const { download_url, expires_at } of [file, raw]) {
      const response = await download(download_url);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="/);
      await response.arrayBuffer();
      const left = Date.parse(expires_at) - mailroom.cloud.clock.now();
      // The session that signed it has half an hour to go at least.
      expect(left).toBeGreaterThan(29 * 60_000);
      expect(left).toBeLessThanOrEqual(3_600_000);
      const url = new URL(download_url);
      const swapped = (change: (url: URL) => void) => {
        const other = new URL(url);
        change(other);
        return other;
      };
      const tampered = [
        swapped((one) => one.searchParams.set('X-Amz-Signature', '0'.repeat(64))),
        swapped((one) => one.searchParams.set('X-Amz-Expires', '604800')),
        swapped((one) => one.searchParams.set('response-content-disposition', 'inline')),
        swapped((one) => one.searchParams.delete('X-Amz-Signature')),
        swapped((one) => (one.pathname = one.pathname.replace(/.$/, (last) => (last === '0' ? '1' : '0')))),
        swapped((one) => (one.search = '')),
      ];
      for (const one of tampered) expect((await download(one)).status, one.href).toBe(403);
      expect((await download(url, { method: 'DELETE' })).status).toBe(403);
    }
    // Without a signature it is anybody's call, which IAM refuses; that is what was asked for here.
    const anonymous = mailroom.cloud.iam.refusals.splice(0);
    expect(anonymous.map(({ who, action }) => `${who} ${action}`)).toEqual(
      Array.from({ length: anonymous.length }, () => 'anonymous s3:GetObject'),
    );
    await mailroom.sleep(3_601_000);
    // 400 ExpiredToken where the session ended first, 403 where the URL did.
    for (const { download_url } of [file, raw])
      expect([400, 403]).toContain((await download(download_url)).status);
    expect(
      (await download((await client.inboxes.messages.getRaw(place, message_id)).download_url)).status,
    ).toBe(200);
    await expect(
      client.inboxes.messages.getAttachment(place, message_id, `${attachments![0]!.attachment_id}0`),
    ).rejects.toEqual(code('not_found', 404));
    await expect(
      client.inboxes.messages.getAttachment(place, all[0]!.message_id, attachments![0]!.attachment_id),
    ).rejects.toEqual(code('not_found', 404));
  });

  it('goes with the message: rows at once, objects when their work is due', async () => {
    const place = await mailroom.inbox();
    await mailroom.send({
      to: place,
      subject: 'Goes',
      attachments: [{ filename: 'a.bin', content: Buffer.alloc(5000, 7) }],
    });
    await mailroom.send({ to: place, subject: 'Stays' });
    const { message_id, thread_id, attachments } = await mailroom.message(place, 'Goes');
    await mailroom.message(place, 'Stays');
    const { download_url } = await client.inboxes.messages.getRaw(place, message_id);
    const folder = new URL(download_url).pathname.match(/org_[^/]+\/inb_[^/]+\/[^/]+\//)![0];
    expect(await objectsIn(folder)).toEqual([`${folder}a/0`, `${folder}raw`]);
    await client.inboxes.messages.delete(place, message_id);
    await expect(client.inboxes.messages.get(place, message_id)).rejects.toEqual(code('not_found', 404));
    await expect(client.inboxes.messages.getRaw(place, message_id)).rejects.toEqual(code('not_found', 404));
    await expect(client.inboxes.messages.delete(place, message_id)).rejects.toEqual(code('not_found', 404));
    await expect(client.inboxes.threads.get(place, thread_id)).rejects.toEqual(code('not_found', 404));
    await expect(client.threads.get(thread_id)).rejects.toEqual(code('not_found', 404));
    expect((await client.inboxes.messages.list(place)).messages.map(({ subject }) => subject)).toEqual([
      'Stays',
    ]);
    expect((await client.inboxes.messages.list(place, { labels: ['unread'] })).count).toBe(1);
    expect((await client.inboxes.threads.list(place)).count).toBe(1);
    mailroom.cloud.clock.advance(60_000);
    await mailroom.eventually(async () => expect(await objectsIn(folder)).toEqual([]));
    expect(attachments).toHaveLength(1);
  });
});

describe('a hidden message', () => {
  it('is out of every list until it is asked for by who may see it, and comes back', async () => {
    const place = await mailroom.inbox();
    await sendMails(place, 1, 3);
    const [, two] = (await mailroom.messages(place, 3)) as [MessageItem, MessageItem, MessageItem];
    const reader = await mailroom.clientWith({
      message_read: true,
      message_update: true,
      message_delete: true,
    });
    const keeper = await mailroom.clientWith({ message_read: true, label_trash_read: true });
    const see = async (by: Client, query = {}) => [
      (await by.inboxes.messages.list(place, query)).count,
      (await by.inboxes.threads.list(place, query)).count,
    ];
    const everything = Object.fromEntries(hiddenLabels.map((label) => [`include_${label}`, true]));
    await client.inboxes.messages.update(place, two.message_id, { add_labels: ['trash'] });
    for (const by of [client, reader, keeper]) expect(await see(by)).toEqual([2, 2]);
    for (const by of [client, keeper]) {
      expect(await see(by, { include_trash: true })).toEqual([3, 3]);
      expect(await see(by, { include_spam: true })).toEqual([2, 2]);
      expect(await see(by, { include_trash: true, labels: ['trash'] })).toEqual([1, 1]);
      expect(await see(by, { labels: ['trash'] })).toEqual([0, 0]);
      expect((await by.inboxes.messages.get(place, two.message_id)).labels).toContain('trash');
      expect((await by.inboxes.threads.get(place, two.thread_id)).messages).toHaveLength(1);
    }
    expect(await see(reader, { ...everything })).toEqual([2, 2]);
    const calls = [
      () => reader.inboxes.messages.get(place, two.message_id),
      () => reader.inboxes.messages.getRaw(place, two.message_id),
      () => reader.inboxes.messages.update(place, two.message_id, { remove_labels: ['trash'] }),
      () => reader.inboxes.messages.delete(place, two.message_id),
      () => reader.inboxes.threads.get(place, two.thread_id),
      () => reader.threads.get(two.thread_id),
      () => reader.inboxes.threads.update(place, two.thread_id, { remove_labels: ['trash'] }),
      () => reader.threads.delete(two.thread_id),
    ];
    for (const [n, call] of calls.entries())
      await expect(call(), `call ${n}`).rejects.toEqual(code('not_found', 404));
    expect((await reader.inboxes.messages.batchGet(place, [two.message_id])).count).toBe(0);
    expect(
      (
        await reader.inboxes.messages.batchUpdate(place, {
          message_ids: [two.message_id],
          remove_labels: ['trash'],
        })
      ).count,
    ).toBe(0);
    await client.inboxes.messages.update(place, two.message_id, { remove_labels: ['trash'] });
    for (const by of [client, reader, keeper]) expect(await see(by)).toEqual([3, 3]);
    expect((await reader.inboxes.messages.list(place)).messages.map(({ subject }) => subject)).toEqual(
      names(3, 2, 1),
    );
  });

  it('is 403 to a key in scope that may not, 404 to one out of scope', async () => {
    const { message_id, thread_id } = all[0]!;
    const reader = await mailroom.clientWith({ message_read: true });
    const changer = await mailroom.clientWith({ message_update: true });
    const nothing = await mailroom.clientWith({});
    expect((await reader.inboxes.messages.get(inbox, message_id)).subject).toBe('Mail 10');
    const refused = [
      () => reader.inboxes.messages.update(inbox, message_id, { add_labels: ['x'] }),
      () => reader.inboxes.messages.batchUpdate(inbox, { message_ids: [message_id], add_labels: ['x'] }),
      () => reader.inboxes.messages.delete(inbox, message_id),
      () => reader.inboxes.threads.update(inbox, thread_id, { add_labels: ['x'] }),
      () => reader.threads.delete(thread_id),
      () => reader.inboxes.get(inbox),
      () => changer.inboxes.messages.get(inbox, message_id),
      () => changer.inboxes.messages.list(inbox),
      () => changer.threads.list(),
      () => nothing.inboxes.list(),
      () => nothing.inboxes.messages.batchGet(inbox, [message_id]),
      () => nothing.inboxes.messages.getRaw(inbox, message_id),
    ];
    for (const [n, call] of refused.entries())
      await expect(call(), `call ${n}`).rejects.toEqual(code('missing_permission', 403));
    const { organization_id, client: stranger } = await mailroom.organization();
    const powerless = await mailroom.clientWith({}, organization_id);
    for (const by of [stranger, powerless]) {
      await expect(by.inboxes.messages.get(inbox, message_id)).rejects.toEqual(code('not_found', 404));
      await expect(by.inboxes.messages.list(inbox)).rejects.toEqual(code('not_found', 404));
    }
    await expect(stranger.threads.get(thread_id)).rejects.toEqual(code('not_found', 404));
    expect((await nothing.auth.me()).organization_id).toBe(mailroom.organization_id);
  });
});

const mails = 100_000;
const middle = mails / 2;
const perThread = 5;
const firstTime = Date.parse('2026-01-01T00:00:00.000Z');
/** Milliseconds between two mails of the large inbox. */
const apart = 60_000;
const timeOf = (n: number): string => new Date(firstTime + n * apart).toISOString();

/** Lists find messages by their keys, one by one: of those that no test lists, the lists are enough, which saves seconds. */
const isLookedAt = (n: number): boolean => n >= mails - 1000 || Math.abs(n - mails / 2) < 1000;

/** Writes the rows that a hundred thousand mails leave in the lists, straight into the file of a cloud that is stopped. */
function fillInbox(home: string, address: string): void {
  const database = new Database(join(home, 'dynamodb', 'db.sqlite'), false);
  const rows = new Rows(database);
  const [found] = database.statement('SELECT id, shape FROM tables').all() as { id: number; shape: string }[];
  const shape = JSON.parse(found!.shape) as TableShape;
  const spaces = new Map(
    (database.statement('SELECT space, name FROM indexes').all() as { space: number; name: string }[]).map(
      ({ space, name }) => [name, -space],
    ),
  );
  const indexes = shape.indexes.map((index: IndexShape) => ({
    ...index,
    space: spaces.get(index.name)!,
    arn: '',
  }));
  const table: Table = {
    ...shape,
    indexes,
    space: found!.id,
    arn: '',
    uuid: '',
    created: 0,
    stream: undefined,
  };
  const put = (row: Record<string, unknown>): void => {
    const item = marshall(row, { removeUndefinedValues: true });
    rows.put(
      { place: itemPlace(table, item as never), item: item as never, size: itemSize(item as never) },
      null,
    );
    for (const index of indexes) {
      const place = indexPlace(table, index, item as never);
      const part = place && projected(table, index, item as never);
      if (place && part) rows.put({ place, item: part, size: itemSize(part) }, null);
    }
  };
  const entry = unmarshall(rows.get(itemPlace(table, marshall(addressKey(address)) as never))!.item as never);
  const owner = {
    organization_id: entry['organization_id'] as string,
    pod_id: entry['pod_id'] as string,
    inbox_id: address,
    uid: entry['uid'] as string,
  };
  database.transaction(() => {
    let thread: ReturnType<typeof newThread> | undefined;
    for (let n = 0; n < mails; n++) {
      const timestamp = timeOf(n);
      const message_id = `msg_${newUlid(Date.parse(timestamp))}`;
      const thread_id = n % perThread === 0 ? `thr_${ulidOf(message_id)}` : thread!.thread_id;
      const message: StoredMessage = {
        ...owner,
        message_id,
        thread_id,
        timestamp,
        labels: ['received'],
        from: `sender${n % 7}@sender.test`,
        to: [owner.inbox_id],
        subject: `Old ${n}`,
        size: 1000,
        body: 'none',
        created_at: timestamp,
        updated_at: timestamp,
      };
      thread = withMessage(n % perThread === 0 ? newThread(message) : thread!, message, timestamp);
      if (isLookedAt(n)) put({ ...messageKey(owner, ulidOf(message_id)), ...messageRow(message) });
      const lists = entryWrites(
        owner,
        [],
        messageEntries(message).filter(({ list }) => list.of !== 'thread'),
        { message_id, thread_id },
      );
      const ended =
        n % perThread < perThread - 1
          ? []
          : [
              threadWrite(undefined, thread, 'there'),
              ...entryWrites(owner, [], threadEntries(thread), { thread_id }),
            ];
      for (const write of [...lists, ...ended]) if ('put' in write) put(write.put);
    }
  });
  database.close();
}

// That lists cost what they show is shown of the store alone, too.
const large = () => {
  let home: string;
  let open: OpenCloud | undefined;
  let reader: Client;
  let address: string;
  let port: number;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'posthorn-large-'));
    const first = await openCloud({ home });
    try {
      port = Number(new URL(first.cloud.api).port);
      reader = await first.client();
      address = (await reader.inboxes.create({ username: 'large' })).inbox_id;
    } finally {
      await first.close();
    }
    fillInbox(home, address);
    open = await openCloud({ home, port });
    const sender = nodemailer.createTransport({ ...open.cloud.smtp, name: 'sender.test', ignoreTLS: true });
    for (const n of [1, 2, 3])
      await sender.sendMail({
        from: 'alice@sender.test',
        to: address,
        subject: `Unread ${n}`,
        text: 'Hello.',
      });
    sender.close();
    await vi.waitFor(
      async () => expect((await reader.inboxes.messages.list(address, { labels: ['unread'] })).count).toBe(3),
      { timeout: 20_000, interval: 100 },
    );
  }, 120_000);
  afterAll(async () => {
    await open?.close();
    await rm(home, { recursive: true, force: true });
  });

  /** What one call costs in DynamoDB, beside who signed it (one read of up to three small rows, kept for five seconds). */
  async function costOf<Answer>(call: () => Promise<Answer>) {
    open!.cloud.calls.reset();
    const answer = await call();
    const calls = open!.cloud.calls.list.filter(
      ({ service, by }) => service === 'dynamodb' && by.includes('apifunction'),
    );
    const puts = calls.filter(({ action }) => action === 'PutItem').length;
    const changes = calls.filter(({ action }) => /Transact|Delete/.test(action)).length;
    return {
      answer,
      // Requests are counted and keys are noted as used now and then, whatever is asked.
      calls: calls.filter(({ action }) => action !== 'UpdateItem').length - puts,
      readUnits: calls.reduce((sum, { readUnits = 0 }) => sum + readUnits, 0),
      lines: puts,
      changes,
    };
  }
  const unread = ['Unread 1', 'Unread 2', 'Unread 3'];
  const sorted = (items: { subject?: string | undefined }[]) => items.map(({ subject }) => subject).sort();

  it.each([
    ['labels=unread', { labels: ['unread'] }],
    ['labels=unread,received', { labels: ['unread', 'received'] }],
    ['labels=unread, ascending', { labels: ['unread'], ascending: true }],
    ['labels=unread, hidden ones too', { labels: ['unread'], include_spam: true, include_trash: true }],
  ])('finds three unread for a handful of units: %s', async (_, query) => {
    const messages = await costOf(() => reader.inboxes.messages.list(address, query));
    expect(sorted(messages.answer.messages)).toEqual(unread);
    expect(messages.answer.next_page_token).toBeUndefined();
    expect(messages).toMatchObject({ lines: 1, changes: 0 });
    expect(messages.calls).toBeLessThanOrEqual(6);
    expect(messages.readUnits).toBeLessThanOrEqual(15);
    const threads = await costOf(() => reader.inboxes.threads.list(address, query));
    expect(sorted(threads.answer.threads)).toEqual(unread);
    expect(threads.calls).toBeLessThanOrEqual(6);
    expect(threads.readUnits).toBeLessThanOrEqual(15);
  });

  it('finds the messages of some minutes in the middle, and pages, for the rows they are', async () => {
    const [from, to] = [middle, middle + 21];
    const within = { after: timeOf(from), before: timeOf(to) };
    const expected = Array.from({ length: to - from - 1 }, (_, n) => `Old ${from + 1 + n}`);
    for (const query of [
      { ...within, ascending: true },
      { ...within, ascending: true, labels: ['received'] },
    ]) {
      const found = await costOf(() => reader.inboxes.messages.list(address, query));
      expect(found.answer.messages.map(({ subject }) => subject)).toEqual(expected);
      expect(found.answer.next_page_token).toBeUndefined();
      expect(found.calls).toBeLessThanOrEqual(5);
      expect(found.readUnits).toBeLessThanOrEqual(expected.length + 10);
    }
    const none = await costOf(() => reader.inboxes.messages.list(address, { ...within, labels: ['unread'] }));
    expect(none.answer.count).toBe(0);
    expect(none.readUnits).toBeLessThanOrEqual(6);
    const threads = await costOf(() => reader.inboxes.threads.list(address, { ...within, ascending: true }));
    expect(threads.answer.threads.map(({ subject, message_count }) => [subject, message_count])).toEqual(
      [0, 5, 10, 15].map((n) => [`Old ${middle + n}`, perThread]),
    );
    expect(threads.calls).toBeLessThanOrEqual(5);
    expect(threads.readUnits).toBeLessThanOrEqual(14);
    const page = await costOf(() =>
      reader.inboxes.messages.list(address, { limit: 20, before: timeOf(mails) }),
    );
    expect(page.answer.messages[0]!.subject).toBe(`Old ${mails - 1}`);
    const next = await costOf(() =>
      reader.inboxes.messages.list(address, {
        limit: 20,
        before: timeOf(mails),
        page_token: page.answer.next_page_token!,
      }),
    );
    expect(next.answer.messages.map(({ subject }) => subject)).toEqual(
      Array.from({ length: 20 }, (_, n) => `Old ${mails - 21 - n}`),
    );
    for (const { calls, readUnits } of [page, next])
      expect({ calls: calls <= 5, cheap: readUnits <= 30 }).toEqual({ calls: true, cheap: true });
  });

  it('finds the organization’s threads of a time and with a label without reading the rest', async () => {
    const threads = await costOf(() =>
      reader.threads.list({ after: timeOf(middle), before: timeOf(middle + 21), ascending: true }),
    );
    expect(threads.answer.threads.map(({ subject }) => subject)).toEqual(
      [0, 5, 10, 15].map((n) => `Old ${middle + n}`),
    );
    // Four shards of the index, and one read of the rows.
    expect(threads.calls).toBeLessThanOrEqual(7);
    expect(threads.readUnits).toBeLessThanOrEqual(16);
    const newest = await costOf(() => reader.threads.list({ labels: ['unread'], after: timeOf(mails + 1) }));
    expect(sorted(newest.answer.threads)).toEqual(unread);
    expect(newest.readUnits).toBeLessThanOrEqual(16);
  });
};
if (thorough) describe('an inbox of 100,000 mails', large);
