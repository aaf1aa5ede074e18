import type { Instance } from './instance.ts';

/** Instances beyond the first are kept this long after their last event (milliseconds of the machine). */
const idleTime = 30_000;

/** The instances of one function: started on first use, one event each at a time, the longest idle one first. */
export class InstancePool {
  readonly #start: () => Promise<Instance>;
  readonly #max: number;
  readonly #another: () => boolean;
  readonly #idle: Instance[] = [];
  readonly #all = new Set<Instance>();
  readonly #waiting: (() => void)[] = [];
  /** When each was last given back. */
  readonly #restedAt = new WeakMap<Instance, number>();
  #trimming = false;
  #starting = 0;
  #stopped = false;

  /** `another`: whether an event goes to a second instance this time, so that no state is shared unnoticed. */
  constructor(start: () => Promise<Instance>, max: number, another: () => boolean = () => false) {
    this.#start = start;
    this.#max = max;
    this.#another = another;
  }

  /** Gives an instance of its own to `work`; waits for one when all are busy. */
  async use<T>(work: (instance: Instance) => Promise<T>): Promise<T> {
    const instance = await this.#take();
    try {
      return await work(instance);
    } finally {
      this.#giveBack(instance);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    // Who waits for an instance gets none any more, and has to hear of it.
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all([...this.#all].map((instance) => instance.end()));
  }

  async #take(): Promise<Instance> {
    for (;;) {
      if (this.#stopped) throw new Error('the function is being stopped');
      this.#bury();
      const size = this.#all.size + this.#starting;
      if (size >= (this.#another() ? 2 : 1)) {
        const rested = this.#idle.shift();
        if (rested !== undefined) return rested;
      }
      if (size < this.#max) return this.#add();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #add(): Promise<Instance> {
    this.#starting++;
    try {
      const instance = await this.#start();
      this.#all.add(instance);
      return instance;
    } catch (error) {
      this.#waiting.shift()?.();
      throw error;
    } finally {
      this.#starting--;
    }
  }

  #giveBack(instance: Instance): void {
    this.#restedAt.set(instance, performance.now());
    if (!instance.gone) this.#idle.push(instance);
    this.#bury();
    this.#waiting.shift()?.();
    this.#trimLater();
  }

  #trimLater(): void {
    if (this.#trimming || this.#all.size <= 1) return;
    this.#trimming = true;
    setTimeout(() => {
      this.#trimming = false;
      this.#trim();
      this.#trimLater();
    }, idleTime).unref();
  }

  #bury(): void {
    for (const instance of this.#all) {
      if (!instance.gone) continue;
      this.#all.delete(instance);
      const place = this.#idle.indexOf(instance);
      if (place >= 0) this.#idle.splice(place, 1);
    }
  }

  #trim(): void {
    while (this.#idle.length > 1) {
      const [instance] = this.#idle as [Instance];
      if (performance.now() - this.#restedAt.get(instance)! < idleTime) return;
      this.#idle.shift();
      this.#all.delete(instance);
      void instance.end();
    }
  }
}
