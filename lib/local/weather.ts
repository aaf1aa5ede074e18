/** What goes wrong now and then on AWS, and here on purpose. */
export type Misfortune =
  | 'duplicate' // a notice, message or event is delivered twice
  | 'reorder' // messages arrive in another order
  | 'delay' // something arrives late
  | 'index-lag' // a global index does not show a write yet
  | 'transaction-conflict' // a transaction is cancelled by a neighbour
  | 'throttle' // a call is refused for its rate
  | 'partial-batch' // a batch read or write leaves some items unprocessed
  | 'another-instance' // an event goes to a second instance of its function although the first is idle
  | 'instance-death'; // a function's instance is gone after its work and before its answer

/** Seeded, so that a failure can be had again. */
export interface Weather {
  readonly seed: number;
  /** Whether the misfortune strikes this time. */
  strikes(misfortune: Misfortune): boolean;
  /** The next number in [0, 1) of the seeded sequence. */
  random(): number;
}

export const calm: Weather = { seed: 0, strikes: () => false, random: Math.random };

/** Each misfortune strikes with its own probability. */
export function badWeather(seed: number, odds: Partial<Record<Misfortune, number>>): Weather {
  const random = mulberry32(seed);
  return { seed, random, strikes: (misfortune) => random() < (odds[misfortune] ?? 0) };
}

/** Tommy Ettinger's mulberry32: 32 bits of state, good enough to shuffle with. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
