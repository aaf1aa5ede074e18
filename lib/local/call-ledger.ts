import type { Call } from './cloud.ts';

/** Calls that are kept at most; a cloud that runs for weeks forgets the oldest. */
const most = 200_000;

/** What AWS would have counted, for the bench and the tests. */
export class CallLedger {
  #calls: Call[] = [];

  add(call: Call): void {
    this.#calls.push(call);
    if (this.#calls.length > most) this.#calls.splice(0, most / 2);
  }

  /** Oldest first. */
  get list(): readonly Call[] {
    return this.#calls;
  }

  reset(): void {
    this.#calls = [];
  }
}
