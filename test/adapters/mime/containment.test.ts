import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MailParser, ParsedMail } from '../../../lib/core/mail.ts';
import {
  createMailParser,
  MIME_WORKER_BUNDLE,
  MIME_WORKER_SOURCE,
  workerModule,
} from '../../../lib/adapters/mime.ts';
import { MAIL_LIMITS } from '../../../lib/adapters/mime/limits.ts';
import { fixture, mailOf, parsed, streamed } from './mail-source.ts';

const project = new URL('../../../', import.meta.url);
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mime-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a parser that fails', () => {
  const worker = new URL('./workers/misbehaving.ts', import.meta.url);
  const limits = { heapMegabytes: 64, derivingMilliseconds: 500 };
  const parser = createMailParser({ worker, limits });
  // Long enough for a thread to start on a busy machine.
  const hasty = createMailParser({ worker, limits: { ...limits, milliseconds: 2_000 } });
  const headers = {
    From: '=?utf-8?Q?Ada?= <ada@sender.test>',
    To: '"Doe, Jo" <jo@agents.test>, scout@agents.test',
    'Message-ID': '<m@sender.test>',
    'In-Reply-To': '<parent@agents.test>',
    References: '<root@agents.test> <parent@agents.test>',
  };
  const parseWith = async (body: string, by = parser): Promise<ParsedMail> => {
    await using file = await by.parse(streamed(mailOf(body, headers)));
    return file.mail;
  };

  const unparsed = (problem: string): ParsedMail => ({
    subject: 's',
    from: headers.From,
    to: ['"Doe, Jo" <jo@agents.test>', 'scout@agents.test'],
    message_id: '<m@sender.test>',
    in_reply_to: '<parent@agents.test>',
    references: ['<root@agents.test>', '<parent@agents.test>'],
    headers: expect.objectContaining({ Subject: 's' }) as ParsedMail['headers'],
    attachments: [],
    parse_error: problem,
  });

  it.each([
    ['throw', 'the parser failed: no such charset'],
    ['reject', 'the parser failed: rejected'],
    ['later', 'the parser failed: in a callback'],
    ['overflow', 'parsing recursed too deep'],
    ['exhaust', 'parsing needed more than 64 MB of memory'],
    ['exhaust-at-once', 'parsing needed more than 64 MB of memory'],
    ['crash', 'the parser stopped'],
    ['exit', 'the parser stopped'],
  ])('costs its process only, and the header can still be told: %s', async (misdeed, problem) => {
    expect(await parseWith(`reading ${misdeed}`)).toEqual(unparsed(problem));
    expect(await parseWith('fine')).toMatchObject({ text: 'fine', from: 'Ada <ada@sender.test>' });
  });

  it.each(['loop', 'backtrack', 'hang'])('is stopped when it takes too long: %s', async (misdeed) => {
    expect(await parseWith(`reading ${misdeed}`, hasty)).toEqual(
      unparsed('parsing took longer than 2000 ms'),
    );
  });

  it('is replaced after it took too long', async () => {
    await parseWith('reading loop', hasty);
    expect(await parseWith('fine', hasty)).toMatchObject({ text: 'fine' });
  });

  it.each([
    ['throw', 'the parser failed: no such charset'],
    ['loop', 'extracting the reply took longer than 500 ms'],
  ])('leaves the mail whole when only the extraction goes wrong: %s', async (misdeed, problem) => {
    const mail = await parseWith(`deriving ${misdeed}`);
    expect(mail).toMatchObject({
      text: `deriving ${misdeed}`,
      from: 'Ada <ada@sender.test>',
      parse_error: problem,
    });
    expect(mail).not.toHaveProperty('extracted_text');
  });

  it('does not hold up or mix up mails that come at once', async () => {
    const bodies = ['one', 'reading throw', 'two', 'reading exit', 'three'];
    const mails = await Promise.all(bodies.map((body) => parseWith(body)));
    expect(mails.map((mail) => mail.text ?? mail.parse_error)).toEqual([
      'one',
      'the parser failed: no such charset',
      'two',
      'the parser stopped',
      'three',
    ]);
  });
});

describe('the parsing process', () => {
  it('is kept between mails, and none affects the next', async () => {
    const parser = createMailParser({ limits: { milliseconds: 20_000 } });
    const first = await readAll(parser, ['prototype-names', 'plain-text', 'hostile-filenames', 'plain-text']);
    expect(first[3]).toEqual(first[1]);
  });

  it('ends by itself when it spins and nobody is there to end it', async () => {
    const path = join(directory, 'looping');
    await writeFile(path, mailOf('reading loop'));
    const child = fork(new URL('./workers/misbehaving.ts', import.meta.url), [], { execArgv: [] });
    child.send({ path, directory, limits: { ...MAIL_LIMITS, milliseconds: 1, derivingMilliseconds: 1 } });
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
  });

  it('lets no mail write to what all objects inherit from', async () => {
    const child = fork(new URL('./workers/sealed.ts', import.meta.url), [], { execArgv: [] });
    expect(((await once(child, 'message')) as [boolean])[0]).toBe(false);
    child.disconnect();
    expect((await once(child, 'exit'))[0]).toBe(0);
  });

  it('works within a thread', async () => {
    const worker = new Worker(new URL('./workers/nested.ts', import.meta.url), {
      workerData: await fixture('plain-text'),
      execArgv: [],
    });
    const [mail] = (await once(worker, 'message')) as [ParsedMail];
    expect(mail).toEqual(await parsed(await fixture('plain-text')));
    await worker.terminate();
  });

  it('works as a bundle beside the bundle of a function', async () => {
    const common = {
      absWorkingDir: fileURLToPath(project),
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
      logLevel: 'silent',
    } as const;
    await build({ ...common, entryPoints: ['lib/adapters/mime.ts'], outfile: join(directory, 'index.mjs') });
    await build({
      ...common,
      entryPoints: [MIME_WORKER_SOURCE],
      outfile: join(directory, MIME_WORKER_BUNDLE),
    });
    const bundle = await readFile(join(directory, 'index.mjs'), 'utf8');
    expect(bundle.length).toBeLessThan(50_000);
    await writeFile(join(directory, 'package.json'), '{}');
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       import(workerData.url).then(async ({ createMailParser }) => {
         const file = await createMailParser().parse((async function* () { yield workerData.raw; })());
         parentPort.postMessage(file.mail);
         await file[Symbol.asyncDispose]();
       });`,
      {
        eval: true,
        execArgv: [],
        workerData: {
          url: pathToFileURL(join(directory, 'index.mjs')).href,
          raw: await fixture('html-only'),
        },
      },
    );
    const [mail] = (await once(worker, 'message')) as [ParsedMail];
    expect(mail).toEqual(await parsed(await fixture('html-only')));
    await worker.terminate();
  });

  it('is looked for where the running module is', () => {
    expect(workerModule('file:///p/lib/adapters/mime.ts').href).toBe('file:///p/lib/adapters/mime/worker.ts');
    expect(workerModule('file:///var/task/index.mjs').href).toBe(`file:///var/task/${MIME_WORKER_BUNDLE}`);
  });
});

describe('the files of a mail', () => {
  it('are gone when it is disposed of, or when the source fails', async () => {
    const tmpDir = await mkdtemp(join(directory, 'files-'));
    const parser = createMailParser({ tmpDir });
    const file = await parser.parse(streamed(await fixture('hostile-filenames')));
    expect(await readdir(tmpDir)).toHaveLength(1);
    await file[Symbol.asyncDispose]();
    expect(await readdir(tmpDir)).toEqual([]);
    // eslint-disable-next-line require-yield
    async function* broken(): AsyncGenerator<Uint8Array> {
      throw new Error('connection reset');
    }
    await expect(parser.parse(broken())).rejects.toThrow('connection reset');
    expect(await readdir(tmpDir)).toEqual([]);
  });
});

async function readAll(parser: MailParser, names: string[]): Promise<ParsedMail[]> {
  const mails: ParsedMail[] = [];
  for (const name of names) {
    await using file = await parser.parse(streamed(await fixture(name)));
    mails.push({ ...file.mail, attachments: [] });
  }
  return mails;
}
