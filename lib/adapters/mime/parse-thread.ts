import { Worker } from 'node:worker_threads';
import type { ParsedMail } from '../../core/mail.ts';
import { cleanLine } from './clean-text.ts';
import { MAILS_PER_THREAD, STACK_MEGABYTES, type MailLimits } from './limits.ts';
import type { DerivedFields } from './read-mail.ts';

/** One mail for the thread to read. */
export interface ParseJob {
  path: string;
  /** Where attachments become files. */
  directory: string;
  limits: MailLimits;
}

/** What the thread says: the mail first, then what is derived from it, which may still go wrong. */
export type ParseReport = { stage: 'read'; mail: ParsedMail } | { stage: 'derived'; fields: DerivedFields };

/** How far a mail got. `failure` says in plain words why no further. */
export interface ParseOutcome {
  mail?: ParsedMail;
  failure?: string;
}

/**
 * A thread in which mails are parsed, one after the other: what throws, overflows the stack, fills the memory or
 * never ends in there costs the thread, not the function. It is kept warm between mails and replaced after a failure.
 */
export class ParseThread {
  readonly #source: URL;
  readonly #limits: MailLimits;
  #worker: Worker | undefined;
  #mails = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: URL, limits: MailLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** Parses when the mails before are done: one mail's memory at a time. Never rejects. */
  parse(job: ParseJob): Promise<ParseOutcome> {
    const turn = this.#last.then(() => this.#parseNow(job));
    this.#last = turn;
    return turn;
  }

  async #parseNow(job: ParseJob): Promise<ParseOutcome> {
    const worker = this.#start();
    // Only a busy thread keeps the process alive.
    worker.ref();
    const outcome = await converse(worker, job);
    worker.unref();
    if (outcome.failure !== undefined || ++this.#mails >= MAILS_PER_THREAD) {
      this.#worker = undefined;
      this.#mails = 0;
      // Until it is gone it may still write to the directory that is about to be removed.
      await worker.terminate();
    }
    return outcome;
  }

  #start(): Worker {
    this.#worker ??= new Worker(this.#source, {
      name: 'mime',
      // No credentials and no start-up options where hostile bytes are read.
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMegabytes, stackSizeMb: STACK_MEGABYTES },
    });
    return this.#worker;
  }
}

/** Sends the job and listens until it is done, has failed or takes too long. */
function converse(worker: Worker, job: ParseJob): Promise<ParseOutcome> {
  const { milliseconds, derivingMilliseconds } = job.limits;
  return new Promise((resolve) => {
    let mail: ParsedMail | undefined;
    const onMessage = (report: ParseReport): void => {
      clearTimeout(timer);
      if (report.stage === 'derived') {
        mail = { ...mail, ...report.fields } as ParsedMail;
        end();
        return;
      }
      mail = report.mail;
      const late = `extracting the reply took longer than ${derivingMilliseconds} ms`;
      timer = setTimeout(end, derivingMilliseconds, late);
    };
    const onError = (error: unknown): void => end(plainWords(error, job.limits));
    const onExit = (): void => end('the parser stopped');
    const end = (failure?: string): void => {
      clearTimeout(timer);
      // One by one: a Worker's own listeners hear its messages too, and must stay.
      worker.off('message', onMessage).off('exit', onExit);
      // A thread that is being ended may fail once more.
      if (failure === undefined) worker.off('error', onError);
      resolve({ ...(mail === undefined ? {} : { mail }), ...(failure === undefined ? {} : { failure }) });
    };
    let timer = setTimeout(end, milliseconds, `parsing took longer than ${milliseconds} ms`);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(job);
  });
}

function plainWords(error: unknown, limits: MailLimits): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `parsing needed more than ${limits.heapMegabytes} MB of memory`;
  if (error instanceof RangeError && /call stack/i.test(error.message)) return 'parsing recursed too deep';
  return `the parser failed: ${cleanLine(error instanceof Error ? error.message : String(error), 200)}`;
}
