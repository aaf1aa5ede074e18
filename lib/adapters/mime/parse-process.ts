import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ParsedMail } from '../../core/mail.ts';
import { MAILS_PER_PROCESS, type MailLimits } from './limits.ts';
import type { DerivedFields } from './read-mail.ts';

/** One mail for the process to read. */
export interface ParseJob {
  path: string;
  /** Where attachments become files. */
  directory: string;
  limits: MailLimits;
}

/** What the process says: the mail first, then what is derived from it, which may still go wrong. */
export type ParseReport =
  | { stage: 'read'; mail: ParsedMail }
  | { stage: 'derived'; fields: DerivedFields }
  | { stage: 'failed'; reason: string };

/** How far a mail got. `failure` says in plain words why no further. */
export interface ParseOutcome {
  mail?: ParsedMail;
  failure?: string;
}

/** What Node needs to start and nothing else: no credentials where hostile bytes are read. */
const ENVIRONMENT = ['LD_LIBRARY_PATH', 'PATH', 'TMPDIR'];

/**
 * A process in which mails are parsed, one after the other: what throws, overflows the stack, fills the memory or
 * never ends in there costs that process, not the function. It is kept warm between mails and replaced after a
 * failure. A thread is not enough: V8 ends the whole process when one allocation, such as replacing ten million line
 * ends, goes past a thread's heap limit by more than the 16 MB that Node grants it.
 */
export class ParseProcess {
  readonly #module: string;
  readonly #limits: MailLimits;
  #child: ChildProcess | undefined;
  #mails = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(module: URL, limits: MailLimits) {
    this.#module = fileURLToPath(module);
    this.#limits = limits;
  }

  /** Parses when the mails before are done: one mail's memory at a time. Never rejects. */
  parse(job: ParseJob): Promise<ParseOutcome> {
    const turn = this.#last.then(() => this.#parseNow(job));
    this.#last = turn;
    return turn;
  }

  async #parseNow(job: ParseJob): Promise<ParseOutcome> {
    const child = (this.#child ??= this.#start());
    // Only a busy process keeps this one alive.
    child.ref();
    child.channel?.ref();
    const outcome = await converse(child, job);
    if (outcome.failure !== undefined || ++this.#mails >= MAILS_PER_PROCESS) {
      this.#child = undefined;
      this.#mails = 0;
      // Until it is gone it may still write to the directory that is about to be removed.
      await end(child);
    }
    child.unref();
    child.channel?.unref();
    return outcome;
  }

  #start(): ChildProcess {
    const kept = ENVIRONMENT.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const child = fork(this.#module, [], {
      env: Object.fromEntries(kept),
      execArgv: [`--max-old-space-size=${this.#limits.heapMegabytes}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // It is heard of by its exit; an error of the channel is told besides, and unheard it would be thrown.
    child.on('error', () => undefined);
    return child;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Sends the job and listens until it is done, has failed or takes too long. */
function converse(child: ChildProcess, job: ParseJob): Promise<ParseOutcome> {
  const { milliseconds, derivingMilliseconds, heapMegabytes } = job.limits;
  return new Promise((resolve) => {
    let mail: ParsedMail | undefined;
    const settle = (failure?: string): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      resolve({ ...(mail === undefined ? {} : { mail }), ...(failure === undefined ? {} : { failure }) });
    };
    const onMessage = (message: unknown): void => {
      const report = message as ParseReport;
      if (report.stage === 'failed') return settle(report.reason);
      if (report.stage === 'derived') {
        mail = { ...mail, ...report.fields } as ParsedMail;
        return settle();
      }
      mail = report.mail;
      clearTimeout(timer);
      const late = `extracting the reply took longer than ${derivingMilliseconds} ms`;
      timer = setTimeout(settle, derivingMilliseconds, late);
    };
    // V8 aborts when the heap is full.
    const onExit = (code: number | null, signal: string | null): void =>
      settle(
        signal === 'SIGABRT' || code === 134
          ? `parsing needed more than ${heapMegabytes} MB of memory`
          : 'the parser stopped',
      );
    const onError = (): void => settle('the parser could not be started');
    let timer = setTimeout(settle, milliseconds, `parsing took longer than ${milliseconds} ms`);
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
    child.send(job, () => undefined);
  });
}
