import { parentPort } from 'node:worker_threads';
import type { ParseJob, ParseReport } from './parse-thread.ts';
import { readMail } from './read-mail.ts';

// A library that can be talked into writing to the prototype of all objects must not reach the next mail with it.
Object.preventExtensions(Object.prototype);

const report = (message: ParseReport): void => parentPort?.postMessage(message);

// Whatever is thrown in here ends this thread; the other side has what was reported before.
parentPort?.on('message', ({ path, directory, limits }: ParseJob) => {
  void readMail(path, directory, limits).then(({ mail, derive }) => {
    report({ stage: 'read', mail });
    report({ stage: 'derived', fields: derive() });
  });
});
