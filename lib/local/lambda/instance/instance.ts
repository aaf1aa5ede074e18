import { mkdirSync, rmSync } from 'node:fs';
import module from 'node:module';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setEnvironmentData, Worker } from 'node:worker_threads';
import { surroundingsKey } from './messages.ts';
import type {
  FunctionError,
  InstanceData,
  InstanceMessage,
  InvokeMessage,
  Surroundings,
} from './messages.ts';

/** How an invocation ended: with the handler's JSON, or with the error its caller sees. */
export type Outcome = { ok: true; payload: string } | { ok: false; error: FunctionError };

export interface InstanceStart {
  data: Omit<InstanceData, 'codeCache'>;
  env: Record<string, string>;
  surroundings: Surroundings;
  accessKeyId: string;
  /** Scratch folder, this instance's `/tmp`. */
  tmp: string;
  log(line: string): void;
}

const runtime = new URL('./runtime.ts', import.meta.url);
const preload = fileURLToPath(new URL('./preload.ts', import.meta.url));

/** V8 needs this much to load a source graph with the AWS SDK, whatever the function's memory (megabytes). */
const smallestHeap = 256;
/** Loading is not part of the function's timeout; a graph that takes longer hangs (milliseconds). */
const longestInit = 60_000;

/** One execution environment: a thread with its own module graph, environment, keys and scratch folder. */
export class Instance {
  readonly accessKeyId: string;
  readonly #worker: Worker;
  readonly #tmp: string;
  readonly #ready: Promise<Outcome | undefined>;
  #settle: ((message: InstanceMessage | { type: 'exited'; code: number }) => void) | undefined;
  #loading = true;
  #gone = false;
  #busy = false;

  constructor(start: InstanceStart) {
    this.accessKeyId = start.accessKeyId;
    this.#tmp = start.tmp;
    rmSync(start.tmp, { recursive: true, force: true });
    mkdirSync(start.tmp, { recursive: true });
    this.#worker = launch(start);
    this.#ready = this.#awaitReady();
    this.#listen(start.log);
  }

  /** Whether it may call AWS now: while it loads, and between an event and its answer. */
  get active(): boolean {
    return !this.#gone && (this.#busy || this.#loading);
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Runs one event. Never rejects: whatever happens to the thread is the invocation's outcome. */
  async run(message: InvokeMessage): Promise<Outcome> {
    this.#busy = true;
    const unusable = await this.#ready;
    if (unusable !== undefined || this.#gone) {
      this.#busy = false;
      return (
        unusable ?? {
          ok: false,
          error: exited(message.requestId, 'Runtime exited without providing a reason'),
        }
      );
    }
    return new Promise((resolve) => {
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        this.#busy = false;
        this.#settle = undefined;
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        void this.end();
        finish({ ok: false, error: timedOut(message) });
      }, message.timeout);
      this.#settle = (said) => finish(outcomeOf(said, message.requestId));
      this.#worker.postMessage(message);
    });
  }

  /** Kills the thread, as Lambda does with an environment it takes back. */
  async end(): Promise<void> {
    this.#gone = true;
    await this.#worker.terminate();
    rmSync(this.#tmp, { recursive: true, force: true });
  }

  #awaitReady(): Promise<Outcome | undefined> {
    return new Promise((resolve) => {
      const finish = (outcome: Outcome | undefined): void => {
        clearTimeout(timer);
        this.#loading = false;
        this.#settle = undefined;
        if (outcome !== undefined) void this.end();
        resolve(outcome);
      };
      const hangs = {
        errorType: 'Sandbox.Timedout',
        errorMessage: `Error: loading took over ${longestInit / 1000} s`,
      };
      const timer = setTimeout(() => finish({ ok: false, error: hangs }), longestInit);
      this.#settle = (said) => finish(said.type === 'ready' ? undefined : outcomeOf(said, 'init'));
    });
  }

  #listen(log: (line: string) => void): void {
    const worker = this.#worker;
    let killer: Error | undefined;
    worker.on('message', (message: InstanceMessage) => {
      if (message.type === 'crashed') this.#gone = true;
      if (this.#settle !== undefined) return this.#settle(message);
      // Between invocations nobody waits for it; the log is where it can be seen.
      if (message.type === 'crashed') log(`crashed between invocations: ${message.error.errorMessage}`);
    });
    worker.on('error', (error: Error) => {
      killer = error;
      log(`${error.name}: ${error.message}`);
    });
    worker.on('exit', (code) => {
      this.#gone = true;
      this.#settle?.({ type: 'exited', code: killer === undefined ? code : 137 });
    });
    for (const stream of [worker.stdout, worker.stderr]) readLines(stream, log);
  }
}

function launch({ data, env, surroundings }: InstanceStart): Worker {
  // Read by the constructor below and handed on to every thread that the handler starts itself.
  setEnvironmentData(surroundingsKey, surroundings);
  try {
    return new Worker(runtime, {
      workerData: { ...data, codeCache: codeCache() } satisfies InstanceData,
      env,
      execArgv: ['--require', preload],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: Math.max(smallestHeap, data.memorySize) },
    });
  } finally {
    setEnvironmentData(surroundingsKey, undefined);
  }
}

/** Threads do not take part in the process's code cache by themselves; Node answers its sub-folder for this version. */
function codeCache(): string | undefined {
  const folder = module.getCompileCacheDir();
  return folder === undefined ? undefined : dirname(folder);
}

function outcomeOf(said: InstanceMessage | { type: 'exited'; code: number }, requestId: string): Outcome {
  if (said.type === 'answer') return { ok: true, payload: said.payload };
  if (said.type === 'exited') return { ok: false, error: exited(requestId, exitReason(said.code)) };
  if (said.type === 'ready') throw new Error('an instance can be ready only once');
  return { ok: false, error: said.error };
}

function exitReason(code: number): string {
  if (code === 0) return 'Runtime exited without providing a reason';
  return `Runtime exited with error: ${code === 137 ? 'signal: killed' : `exit status ${code}`}`;
}

/** The error of an invocation whose instance is gone. */
export function exited(requestId: string, reason: string): FunctionError {
  return { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: ${reason}` };
}

function timedOut({ requestId, timeout }: InvokeMessage): FunctionError {
  const seconds = (timeout / 1000).toFixed(2);
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`;
  return { errorType: 'Sandbox.Timedout', errorMessage };
}

function readLines(stream: Readable, log: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', log);
}
