import type { Clock } from '../clock.ts';
import type { Throttling } from './api-properties.ts';

/** The stage's token bucket: `ThrottlingRateLimit` requests a second, `ThrottlingBurstLimit` at once. */
export class Throttle {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** Without settings the account's limits hold: 10,000 a second, 5,000 at once. */
  constructor(clock: Clock, { ThrottlingRateLimit = 10_000, ThrottlingBurstLimit = 5_000 }: Throttling) {
    this.#clock = clock;
    this.#rate = ThrottlingRateLimit;
    this.#burst = ThrottlingBurstLimit;
    this.#tokens = this.#burst;
    this.#at = clock.now();
  }

  /** Whether one more request may pass now. */
  admit(): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#rate);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
