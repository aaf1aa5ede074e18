import type { Clock } from '../clock.ts';
import type { PolicyDocument } from '../cloud.ts';

/** What the template says of a queue; times in milliseconds. */
export interface QueueSettings {
  name: string;
  arn: string;
  url: string;
  fifo: boolean;
  contentBasedDeduplication: boolean;
  /** FIFO: a deduplication id counts within its message group only. */
  deduplicatesByGroup: boolean;
  delay: number;
  visibility: number;
  wait: number;
  retention: number;
  /** Bytes. */
  maxMessage: number;
  redrive: { arn: string; maxReceives: number } | undefined;
  tags: Record<string, string>;
  redriveAllow: { permission: 'allowAll' | 'denyAll' | 'byQueue'; sources: string[] };
}

/** A deployed queue and who waits at it; the messages are in the store. */
export class Queue {
  readonly settings: QueueSettings;
  policy: PolicyDocument | undefined;
  /** Milliseconds since the epoch. */
  readonly created: number;
  purged = -Infinity;
  readonly #clock: Clock;
  readonly #nextVisible: () => number | undefined;
  readonly #waiters = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  #cancelTimer = () => {};

  /** `nextVisible` answers when the next message of this queue that is hidden now comes to light. */
  constructor(settings: QueueSettings, clock: Clock, nextVisible: () => number | undefined) {
    this.settings = settings;
    this.created = clock.now();
    this.#clock = clock;
    this.#nextVisible = nextVisible;
  }

  /** Tells everyone who waits that there may be something to receive. */
  wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
    for (const listener of this.#listeners) listener();
    this.armTimer();
  }

  /** Wakes when the next hidden message comes to light, if anyone waits for it. */
  armTimer(): void {
    this.#cancelTimer();
    if (this.#waiters.size === 0 && this.#listeners.size === 0) return;
    const at = this.#nextVisible();
    if (at !== undefined)
      this.#cancelTimer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.wake());
  }

  /** Until woken or `ms` have passed. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, () => {
        this.#waiters.delete(done);
        resolve();
      });
      const done = () => {
        cancel();
        resolve();
      };
      this.#waiters.add(done);
      this.armTimer();
    });
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.armTimer();
    return () => this.#listeners.delete(listener);
  }

  /** Sends everyone away: the cloud is going down. */
  close(): void {
    this.#cancelTimer();
    this.#listeners.clear();
    this.wake();
  }
}
