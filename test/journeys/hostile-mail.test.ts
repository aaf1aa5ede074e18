import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import nodemailer from 'nodemailer';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Message } from '../../lib/contract/message.ts';
import { DIFFERENCES, EMPTY, structures } from '../adapters/mime/mime4j-corpus.ts';
import { outlineOf } from '../adapters/mime/mime4j-structure.ts';
import { hostileMails } from '../support/hostile-mails.ts';
import { sharedMailroom } from '../support/mailroom.ts';
import { thorough } from '../support/thorough.ts';

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });
const mailroom = sharedMailroom();
const everything = {
  limit: 100,
  include_spam: true,
  include_blocked: true,
  include_unauthenticated: true,
  include_trash: true,
};

/** One of so many; that each is read as it has to be is also shown of the parser alone. */
const every = thorough ? 1 : 4;
const some = <Item>(items: Item[]): Item[] => items.filter((_, n) => n % every === 0);

const corpus = some(structures).map(({ name, url }) => ({
  name,
  raw: readFileSync(new URL(`${name}.msg`, url)),
  outline: outlineOf(readFileSync(new URL(`${name}.xml`, url), 'utf8')),
}));
const bombs = some(Object.entries(hostileMails));

/** What a sending MTA makes of these bytes: every line ends in CRLF, the last one too. */
function onTheWire(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

/** One connection for all; answers when the last mail got its 250. */
async function sendAll(mails: [to: string, raw: Buffer][]): Promise<void> {
  const { smtp } = mailroom.cloud;
  const transport = nodemailer.createTransport({
    ...smtp,
    name: 'sender.test',
    ignoreTLS: true,
    pool: true,
    maxConnections: 1,
    maxMessages: Infinity,
  });
  try {
    for (const [to, raw] of mails)
      await transport.sendMail({ envelope: { from: 'alice@sender.test', to }, raw });
  } finally {
    transport.close();
  }
}

const plus = (address: string, tag: string) => address.replace('@', `+${tag}@`);

/**
 * The messages of an inbox by tag, once all of `tags` are there. The clock keeps near the machine's while mail is
 * worked off, since a mail that takes seconds must not seem to take minutes; when nothing moves any more, it runs
 * ahead to what waits for a repeat.
 */
async function byTag(inbox: string, tags: string[]): Promise<Map<string, Message>> {
  const client = mailroom.client();
  let moved = { at: performance.now(), count: -1 };
  for (;;) {
    const listed = [];
    for await (const one of client.inboxes.messages.all(inbox, everything)) listed.push(one);
    const tagged = new Map(listed.map((one) => [one.tag, one.message_id]));
    const missing = tags.filter((tag) => !tagged.has(tag));
    if (missing.length === 0) {
      expect(listed).toHaveLength(tags.length);
      const whole = tags.map(async (tag): Promise<[string, Message]> => [
        tag,
        await client.inboxes.messages.get(inbox, tagged.get(tag)!),
      ]);
      return new Map(await Promise.all(whole));
    }
    const idle = performance.now() - moved.at;
    if (listed.length !== moved.count) moved = { at: performance.now(), count: listed.length };
    else if (idle > 30_000) throw new Error(`these mails did not arrive: ${missing.join(', ')}`);
    // Listing them all is work too: not before the functions came to rest, or a second is over.
    const { lambda } = mailroom.cloud.services;
    for (let n = 0; n < 20 && (n < 2 || lambda.running > 0); n++) await wait(50);
    mailroom.cloud.clock.advance(idle > 2_000 && lambda.running === 0 ? 30_000 : 200);
  }
}

/** Whoever downloads repeats what S3 refuses for its rate. */
async function download(url: string): Promise<Buffer> {
  let response = await fetch(url);
  for (let attempt = 1; response.status === 503 && attempt < 5; attempt++) {
    await response.arrayBuffer();
    response = await fetch(url);
  }
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** The raw mail is what was sent, below a block of headers that SES put on top. */
async function expectRaw({ inbox_id, message_id, size }: Message, sent: Buffer): Promise<void> {
  const { download_url } = await mailroom.client().inboxes.messages.getRaw(inbox_id, message_id);
  const raw = await download(download_url);
  expect(raw.byteLength).toBe(size);
  const above = raw.byteLength - sent.byteLength;
  expect(raw.subarray(above).equals(sent)).toBe(true);
  const trace = raw.subarray(0, above).toString('latin1');
  expect(trace).toMatch(/^Return-Path: <alice@sender\.test>\r\n/);
  expect(trace).not.toContain('\r\n\r\n');
}

const has = (text: string | undefined) => (text ?? '').trim() !== '';

describe.skipIf(corpus.length === 0)(`${corpus.length} mails of Mime4j over one connection`, () => {
  const arrived = new Map<string, Message>();
  beforeAll(async () => {
    const inbox = await mailroom.inbox();
    // Some are the same mail on the wire, and an inbox takes a mail once.
    const second = await mailroom.inbox();
    const wires = corpus.map(({ raw }) => onTheWire(raw).toString('latin1'));
    const inboxOf = wires.map((wire, n) => (wires.indexOf(wire) === n ? inbox : second));
    await sendAll(corpus.map(({ raw }, n) => [plus(inboxOf[n]!, `c${n}`), raw]));
    for (const each of [inbox, second]) {
      const tags = inboxOf.flatMap((one, n) => (one === each ? [`c${n}`] : []));
      for (const [tag, message] of await byTag(each, tags)) arrived.set(tag, message);
    }
  });

  it.each(corpus.map(({ name }, n) => [name, n] as const))('%s', async (name, n) => {
    const { raw, outline } = corpus[n]!;
    const message = arrived.get(`c${n}`)!;
    await expectRaw(message, onTheWire(raw));
    const seen = {
      text: has(message.text),
      html: has(message.html),
      attachments: (message.attachments ?? []).map((one) => one.content_type),
    };
    const difference = DIFFERENCES[name];
    if (difference !== undefined) {
      expect({ ...seen, parse_error: message.parse_error }).toMatchObject(difference.seen);
      return;
    }
    expect(seen).toEqual({ text: outline.text, html: outline.html, attachments: outline.attachments });
    expect(message.parse_error).toBe(
      EMPTY.has(name) ? 'it says it has parts, but none could be found' : undefined,
    );
  });

  it('hands out every attachment at the size it states', async () => {
    const client = mailroom.client();
    for (const { inbox_id, message_id, attachments = [] } of arrived.values()) {
      for (const { attachment_id, size } of attachments) {
        const { download_url } = await client.inboxes.messages.getAttachment(
          inbox_id,
          message_id,
          attachment_id,
        );
        expect((await download(download_url)).byteLength).toBe(size);
      }
    }
  });
});

describe(`${bombs.length} mails that mean harm over one connection`, () => {
  let inbox: string;
  let arrived: Map<string, Message>;
  beforeAll(async () => {
    inbox = await mailroom.inbox();
    await sendAll([
      ...bombs.map(([, { raw }], n): [string, Buffer] => [plus(inbox, `b${n}`), raw]),
      [plus(inbox, 'last'), Buffer.from('Subject: behind them\r\n\r\nhi')],
    ]);
    arrived = await byTag(inbox, [...bombs.map((_, n) => `b${n}`), 'last']);
  });

  it.each(bombs.map(([name], n) => [name, n] as const))('%s', async (_name, n) => {
    const { raw, seen = {}, parse_error, attachments = 0 } = bombs[n]![1];
    const message = arrived.get(`b${n}`)!;
    expect(message).toMatchObject(seen);
    expect(message.parse_error ?? '').toMatch(parse_error ?? /^$/);
    expect(message.attachments ?? []).toHaveLength(attachments);
    expect(JSON.stringify(message).isWellFormed()).toBe(true);
    await expectRaw(message, onTheWire(raw));
  });

  it('do not stop the mail behind them', () => {
    expect(arrived.get('last')).toMatchObject({ subject: 'behind them' });
  });
});

describe('a mail of great size', () => {
  const size = thorough ? 39 : 8;
  it(`of ${size} MB arrives, and its attachment and the raw mail are downloaded byte for byte`, async () => {
    const inbox = await mailroom.inbox();
    const file = randomBytes(Math.floor((size * 1024 * 1024 * 57) / 78) - 1000);
    const lines = file.toString('base64').replace(/.{76}/g, '$&\r\n');
    const head =
      'From: a@sender.test\r\nSubject: big\r\nContent-Type: application/zip; name=big.zip\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n';
    const raw = onTheWire(Buffer.from(head + lines, 'latin1'));
    const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
    let peak = megabytes();
    const meter = setInterval(() => (peak = Math.max(peak, megabytes())), 20);
    await sendAll([[plus(inbox, 'big'), raw]]);
    const message = (await byTag(inbox, ['big'])).get('big')!;
    clearInterval(meter);
    console.log(
      `a mail of ${raw.byteLength} bytes: this process, with the cloud and the mail in it, had at most ${peak} MB`,
    );
    expect(message).toMatchObject({
      subject: 'big',
      attachments: [{ size: file.byteLength, content_type: 'application/zip', filename: 'big.zip' }],
    });
    expect(message).not.toHaveProperty('parse_error');
    const { download_url } = await mailroom
      .client()
      .inboxes.messages.getAttachment(inbox, message.message_id, message.attachments![0]!.attachment_id);
    expect((await download(download_url)).equals(file)).toBe(true);
    await expectRaw(message, raw);
  });

  it.each(['plain', 'html'] as const)('of 2 MB of text/%s leaves it behind a URL, whole', async (subtype) => {
    const inbox = await mailroom.inbox();
    const text = Array.from(
      { length: 40_000 },
      (_, n) => `line ${n} of very many, fifty characters long: café`,
    ).join('\r\n');
    await sendAll([
      [
        plus(inbox, subtype),
        Buffer.from(
          `Subject: long\r\nMIME-Version: 1.0\r\nContent-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}`,
        ),
      ],
    ]);
    const message = (await byTag(inbox, [subtype])).get(subtype)!;
    const url = subtype === 'html' ? message.html_url : message.text_url;
    expect(message).not.toHaveProperty('parse_error');
    expect((await download(url!)).toString().trim()).toBe(text.replaceAll('\r\n', '\n'));
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(6_000_000);
  });
});
