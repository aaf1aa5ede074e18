/** A parsing process that does what the body of the mail says: the ways in which a parser can fail. */
import { readFile } from 'node:fs/promises';
import { readMail } from '../../../../lib/adapters/mime/read-mail.ts';
import { serveParsing } from '../../../../lib/adapters/mime/serve-parsing.ts';

const misdeeds: Record<string, () => unknown> = {
  throw: () => {
    throw new Error('no such\ncharset');
  },
  reject: () => Promise.reject(new Error('rejected')),
  later: () =>
    new Promise(() => {
      setImmediate(() => {
        throw new Error('in a callback');
      });
    }),
  overflow: () => {
    const recurse = (): number => recurse() + 1;
    return recurse();
  },
  exhaust: () => {
    const all: unknown[] = [];
    for (;;) all.push(new Array(100_000).fill(all.length));
  },
  'exhaust-at-once': () => '\n'.repeat(20_000_000).replace(/\r?\n/g, '\n'),
  loop: () => {
    for (;;);
  },
  backtrack: () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  exit: () => process.exit(0),
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  hang: () => new Promise(() => undefined),
};

serveParsing(async (job, report) => {
  const body = (await readFile(job.path, 'latin1')).split('\r\n\r\n')[1] ?? '';
  const [stage, misdeed] = body.trim().split(' ');
  if (stage === 'reading') await misdeeds[misdeed ?? '']?.();
  const { mail, derive } = await readMail(job.path, job.directory, job.limits);
  report({ stage: 'read', mail });
  if (stage === 'deriving') await misdeeds[misdeed ?? '']?.();
  report({ stage: 'derived', fields: derive() });
});
