import { AwsError } from './aws-error.ts';
import type { Cloud } from './cloud.ts';

/** An account-wide request rate as AWS enforces it: a bucket of `perSecond` tokens, refilled on the cloud's clock. */
export class RateLimit {
  readonly #cloud: Pick<Cloud, 'clock' | 'weather'>;
  readonly #perSecond: number;
  readonly #code: string;
  #tokens: number;
  #filledAt: number;

  constructor(cloud: Pick<Cloud, 'clock' | 'weather'>, perSecond: number, code: string) {
    this.#cloud = cloud;
    this.#perSecond = perSecond;
    this.#code = code;
    this.#tokens = perSecond;
    this.#filledAt = cloud.clock.now();
  }

  /** Counts one request; throws the service's throttling error (400) above the rate or in bad weather. */
  take(): void {
    const now = this.#cloud.clock.now();
    this.#tokens = Math.min(
      this.#perSecond,
      this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond,
    );
    this.#filledAt = now;
    if (this.#tokens < 1 || this.#cloud.weather.strikes('throttle')) {
      throw new AwsError(this.#code, 'Rate exceeded');
    }
    this.#tokens -= 1;
  }
}
