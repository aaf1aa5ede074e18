import { Worker } from 'node:worker_threads';
import { cleanLine } from './clean-text.ts';
import type { ParseJob, ParseReport } from './parse-process.ts';

/** How often the deadline is looked at, and how long after it the process goes, when nobody else ended it. */
const GRACE_MS = 1_000;

/**
 * What the parsing process does: takes jobs from the one that started it, and ends with it. Whatever goes wrong
 * is reported once and ends the process.
 */
export function serveParsing(
  parse: (job: ParseJob, report: (message: ParseReport) => void) => Promise<void>,
): void {
  const deadline = watchDeadline();
  const report = (message: ParseReport): void => void process.send?.(message, () => undefined);
  const fail = (error: unknown): void => {
    process.send?.({ stage: 'failed', reason: plainWords(error) } satisfies ParseReport, () =>
      process.exit(1),
    );
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.on('disconnect', () => process.exit());
  process.on('message', (job: ParseJob) => {
    deadline[0] = Date.now() + job.limits.milliseconds + job.limits.derivingMilliseconds + GRACE_MS;
    void parse(job, report).then(() => {
      deadline[0] = Infinity;
    });
  });
}

/**
 * A process that spins does not notice that nobody waits for it any more. A second thread ends it a second after the
 * time that may be written to the answer.
 */
function watchDeadline(): Float64Array {
  const shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
  const deadline = new Float64Array(shared);
  deadline[0] = Infinity;
  const watch = `const deadline = new Float64Array(require('node:worker_threads').workerData);
    setInterval(() => Date.now() > deadline[0] && process.kill(process.pid, 'SIGKILL'), ${GRACE_MS});`;
  new Worker(watch, { eval: true, execArgv: [], env: {}, workerData: shared }).unref();
  return deadline;
}

function plainWords(error: unknown): string {
  if (error instanceof RangeError && /call stack/i.test(error.message)) return 'parsing recursed too deep';
  return `the parser failed: ${cleanLine(error instanceof Error ? error.message : String(error), 200)}`;
}
