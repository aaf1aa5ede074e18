/** A parsing thread that does what the body of the mail says: the ways in which a parser can fail. */
import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import type { ParseJob } from '../../../../lib/adapters/mime/parse-thread.ts';
import { readMail } from '../../../../lib/adapters/mime/read-mail.ts';

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
  loop: () => {
    for (;;);
  },
  backtrack: () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  exit: () => process.exit(0),
  hang: () => new Promise(() => undefined),
};

parentPort?.on('message', async (job: ParseJob) => {
  const body = (await readFile(job.path, 'latin1')).split('\r\n\r\n')[1] ?? '';
  const [stage, misdeed] = body.trim().split(' ');
  if (stage === 'reading') await misdeeds[misdeed ?? '']?.();
  const { mail, derive } = await readMail(job.path, job.directory, job.limits);
  parentPort?.postMessage({ stage: 'read', mail });
  if (stage === 'deriving') await misdeeds[misdeed ?? '']?.();
  parentPort?.postMessage({ stage: 'derived', fields: derive() });
});
