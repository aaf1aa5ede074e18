/**
 * The one clock of the local cloud: real time plus an offset that tests advance. Workers read the same
 * offset through `shared`, so that a handler's Date agrees with the cloud around it.
 */
export class Clock {
  /** One Float64: milliseconds ahead of the machine's clock. */
  readonly shared: SharedArrayBuffer;
  readonly #offset: Float64Array;
  readonly #realNow: () => number;
  readonly #timers = new Set<Timer>();
  #target = -Infinity;

  constructor(realNow: () => number = Date.now.bind(Date)) {
    this.shared = new SharedArrayBuffer(8);
    this.#offset = new Float64Array(this.shared);
    this.#realNow = realNow;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#realNow() + this.#offset[0]!;
  }

  /** Where the clock is being advanced to, for what need not happen at each stop on the way; else now. */
  heading(): number {
    return Math.max(this.#target, this.now());
  }

  /** Runs `task` after `ms` milliseconds of this clock; the answer cancels it. The process may end meanwhile. */
  after(ms: number, task: () => void): () => void {
    const timer: Timer = { at: this.now() + ms, task, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => this.#drop(timer);
  }

  /** Moves time forward and runs what has become due, in order of time. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new Error(`the clock only goes forward, not by ${ms} ms`);
    const target = this.now() + ms;
    this.#target = target;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= target).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#offset[0]! += Math.max(0, next.at - this.now());
      this.#fire(next);
    }
    this.#offset[0]! += Math.max(0, target - this.now());
    for (const timer of this.#timers) this.#arm(timer);
  }

  /** Forgets every timer: the cloud is going down. */
  stop(): void {
    for (const timer of [...this.#timers]) this.#drop(timer);
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.handle);
    // setTimeout holds 31 bits of milliseconds; a longer wait is armed again when that has passed.
    const wait = Math.min(Math.max(0, timer.at - this.now()), 2 ** 31 - 1);
    timer.handle = setTimeout(() => (timer.at <= this.now() ? this.#fire(timer) : this.#arm(timer)), wait);
    timer.handle.unref();
  }

  #fire(timer: Timer): void {
    this.#drop(timer);
    timer.task();
  }

  #drop(timer: Timer): void {
    clearTimeout(timer.handle);
    this.#timers.delete(timer);
  }
}

interface Timer {
  at: number;
  task: () => void;
  handle: NodeJS.Timeout | undefined;
}
