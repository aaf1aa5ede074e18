import type { MailEvent } from '../contract/event.ts';
import { canaryAddress } from '../contract/operator-address.ts';
import type { Now } from './ports.ts';

const dayMs = 24 * 3600_000;

export interface HearCanaryDeps {
  mailDomain: string;
  now: Now;
  /** Told of each canary that was heard: milliseconds since it was sent. */
  heard: (delay: number) => void;
}

/**
 * Counts a canary that came all the way: out, in, stored and announced. Only the domain itself can write to it as
 * `message.received`: a forged From fails DMARC and is `message.received.unauthenticated`.
 */
export const hearCanary =
  ({ mailDomain, now, heard }: HearCanaryDeps) =>
  async ({ from, subject = '' }: Pick<MailEvent, 'from' | 'subject'>): Promise<void> => {
    const sent = Date.parse(/^Canary (\S+)$/.exec(subject)?.[1] ?? '');
    const delay = now() - sent;
    if (from !== canaryAddress(mailDomain) || !(Math.abs(delay) <= dayMs)) return;
    // The clocks of two functions may differ a little.
    heard(Math.max(0, delay));
  };
