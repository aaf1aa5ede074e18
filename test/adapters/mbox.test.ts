import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mboxEntry } from '../../lib/adapters/mbox.ts';
import { quoted, readMbox, withLf } from '../support/read-mbox.ts';
import { sampleMessage } from '../support/mail-samples.ts';

const inChunks = (raw: Buffer, size: number): AsyncIterable<Uint8Array> =>
  (async function* () {
    for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size);
  })();
const entryOf = async (raw: Buffer, size = 65_536, message = sampleMessage(1)): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(mboxEntry(message, inChunks(raw, size))));
const fileOf = async (mails: Buffer[]): Promise<Buffer> =>
  Buffer.concat(await Promise.all(mails.map((raw, n) => entryOf(raw, 65_536, sampleMessage(n + 1)))));

const hostile: Record<string, Buffer> = {
  'From lines and quoted ones': Buffer.from(
    'A: b\r\n\r\nFrom me\r\n>From you\r\n>>From them\r\n> From no\r\nFrom',
  ),
  'a From line without a line end': Buffer.from('A: b\r\n\r\nFrom here '),
  'From lines where headers should be': Buffer.from(
    'From x@y Thu Jan  1 00:00:00 1970\r\nA: b\r\n\r\nFrom \r\n',
  ),
  'no final line end': Buffer.from('A: b\r\n\r\nend'),
  'CR alone': Buffer.from('A: b\r\rFrom me\rFrom you\r'),
  'quotes behind a CR': Buffer.from('A: b\r\n\r\nx\r>From y\r>From z\r\n'),
  'CR before CRLF': Buffer.from('A: b\r\n\r\nx\r\r\n\rFrom y\r\r\n'),
  'LF alone': Buffer.from('A: b\n\nFrom x\n'),
  'NUL bytes': Buffer.from('A: b\r\n\r\n\0From \0\r\n\0\0From \r\nFrom \0\r\n'),
  'an envelope of its own': Buffer.from(
    'A: b\r\n\r\nx\r\n\r\nFrom a@b Thu Jan  1 00:00:00 1970\r\nC: d\r\n\r\n\r\n',
  ),
  'only line ends': Buffer.from('\r\n\r\n\r\n'),
  nothing: Buffer.alloc(0),
};

describe('a mail of an mbox file', () => {
  it('begins with sender and time of arrival, and with what is known of it', async () => {
    const message = sampleMessage(1, {
      timestamp: '2026-01-03T09:05:07.891Z',
      labels: ['unread', 'a, b%c\nX-Evil: 1', 'grün'],
    });
    const raw = Buffer.from(
      'Return-Path: <bounce+1@sender.test>\r\nFrom: Alice <alice@sender.test>\r\n\r\nHello\r\n',
    );
    expect((await entryOf(raw, 7, message)).toString()).toBe(
      [
        'From bounce+1@sender.test Sat Jan  3 09:05:07 2026',
        'X-Posthorn-Labels: a%2C%20b%25c%0AX-Evil:%201,',
        ' gr%C3%BCn,',
        ' unread',
        `X-Posthorn-Thread-Id: ${message.thread_id}`,
        `X-Posthorn-Message-Id: ${message.message_id}`,
        'Return-Path: <bounce+1@sender.test>',
        'From: Alice <alice@sender.test>',
        '',
        'Hello',
        '',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['the null sender', 'Return-Path: <>\r\n', 'alice@sender.test', 'MAILER-DAEMON'],
    ['a sender with spaces', 'Return-Path: <a b@c>\r\n', 'alice@sender.test', 'MAILER-DAEMON'],
    ['no Return-Path', '', 'Alice <alice@sender.test>', 'alice@sender.test'],
    ['a bare address', '', 'alice@sender.test', 'alice@sender.test'],
    ['no address at all', '', 'nobody in particular', 'MAILER-DAEMON'],
  ])('of %s has a sender that is one word', async (_, head, from, sender) => {
    const entry = await entryOf(Buffer.from(`${head}A: b\r\n\r\nx`), 5, sampleMessage(1, { from }));
    expect(entry.toString().split('\n')[0]!.split(' ')[1]).toBe(sender);
  });

  it.each(Object.entries(hostile))('comes back from a file with %s', async (_, raw) => {
    const mails = [Buffer.from('A: 1\r\n\r\nfirst\r\n'), raw, Buffer.from('A: 3\r\n\r\nlast\r\n')];
    const read = readMbox(await fileOf(mails));
    expect(read.map(({ mail }) => mail.toString('latin1'))).toEqual(
      mails.map((mail) => withLf(mail).toString('latin1')),
    );
    expect(read.map(({ message_id }) => message_id)).toEqual(
      [1, 2, 3].map((n) => sampleMessage(n).message_id),
    );
  });

  it('is the same whatever the chunks', async () => {
    for (const raw of Object.values(hostile))
      for (const size of [1, 2, 3, 5])
        expect((await entryOf(raw, size)).equals(await entryOf(raw))).toBe(true);
  });

  it('comes back whatever it is', async () => {
    const word = fc.constantFrom(
      'From ',
      '>',
      'From',
      '\r',
      '\n',
      '\r\n',
      ' ',
      'x',
      '\0',
      'ü',
      '\n>From ',
      '\nFrom ',
    );
    const mail = fc.array(word, { maxLength: 30 }).map((words) => Buffer.from(words.join('')));
    await fc.assert(
      fc.asyncProperty(
        fc.array(mail, { maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        async (mails, size) => {
          const entries = mails.map((raw, n) => entryOf(raw, size, sampleMessage(n + 1)));
          const read = readMbox(Buffer.concat(await Promise.all(entries)));
          expect(read.map(({ mail: one }) => one)).toEqual(mails.map(withLf));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('may be one line of 10 MB, and is held a chunk at a time', async () => {
    const chunk = Buffer.alloc(65_536, 'From From ');
    let given = 0;
    const raw = (async function* () {
      for (; given < 160; given++) yield chunk;
    })();
    let size = 0;
    let largest = 0;
    let ahead = 0;
    for await (const part of mboxEntry(sampleMessage(1), raw)) {
      size += part.length;
      largest = Math.max(largest, part.length);
      ahead = Math.max(ahead, given * chunk.length - size);
    }
    // One quote, at the beginning of the only line.
    const head = (await entryOf(Buffer.alloc(0))).length - 1;
    expect(size).toBe(160 * chunk.length + head + 1 + 2);
    expect(largest).toBeLessThanOrEqual(chunk.length + 10);
    expect(ahead).toBeLessThan(2 * chunk.length);
  });
});

const python = spawnSync('python3', ['-c', 'import mailbox']).status === 0;

describe('a file of many mails', () => {
  it.skipIf(!python)('is read by a mail program’s own reader', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-mbox-'));
    try {
      const path = join(folder, 'ada.mbox');
      const mails = Object.values(hostile).map((raw) => Buffer.concat([Buffer.from('Subject: s\r\n'), raw]));
      writeFileSync(path, await fileOf(mails));
      const script = [
        'import mailbox, json, sys, base64',
        'box = mailbox.mbox(sys.argv[1])',
        'out = [[m.get_from(), m["X-Posthorn-Message-Id"], base64.b64encode(m.as_bytes()).decode()] for m in box]',
        'raw = [base64.b64encode(box.get_bytes(k)).decode() for k in box.keys()]',
        'print(json.dumps({"mails": out, "raw": raw}))',
      ].join('\n');
      const read = JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' })) as {
        mails: [string, string, string][];
        raw: string[];
      };
      expect(read.mails.map(([, id]) => id)).toEqual(mails.map((_, n) => sampleMessage(n + 1).message_id));
      expect(read.mails[0]![0]).toMatch(/^sender\d@sender\.test \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/);
      // It takes no quote away, which is the reader's part in mboxrd.
      const unquoted = read.raw.map((text) =>
        Buffer.from(Buffer.from(text, 'base64').toString('latin1').replace(quoted, '$1'), 'latin1'),
      );
      const bodies = unquoted.map((one) => one.subarray(one.indexOf('Subject: s')));
      expect(bodies.map((body) => body.toString('latin1'))).toEqual(
        mails.map((mail) => withLf(mail).toString('latin1')),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
