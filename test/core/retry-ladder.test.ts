import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedPause, nextTry, pauses } from '../../lib/core/retry-ladder.ts';

const start = Date.parse('2026-01-31T12:00:00Z');
const day = 24 * 3600 * 1000;

/** When each try is made, from the first on, when all fail at once. */
function tries(random: () => number): number[] {
  const times = [start];
  for (;;) {
    const next = nextTry({ at: times.at(-1)!, attempt: times.length }, random);
    if (next === undefined) return times;
    times.push(next);
  }
}

describe('the ladder', () => {
  it('begins with 5 seconds and ends after nine tries, about a day later', () => {
    const times = tries(() => 0);
    expect(times.slice(1).map((time, at) => (time - times[at]!) / 1000)).toEqual([
      5, 60, 300, 1800, 7200, 14_400, 28_800, 32_400,
    ]);
    expect(times.at(-1)! - start).toBeLessThan(day);
  });

  it('lets each pause grow by a tenth at most, whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, chance) => {
          const pause = nextTry({ at: start, attempt }, () => chance)! - start;
          expect(pause).toBeGreaterThanOrEqual(pauses[attempt - 1]!);
          expect(pause).toBeLessThanOrEqual(pauses[attempt - 1]! * 1.1 + 1);
        },
      ),
    );
  });

  it('makes a pause longer for Retry-After and never shorter, and by no more than a day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.oneof(
          fc.nat(10_000_000).map(String),
          fc
            .integer({ min: -2_000_000, max: 10_000_000 })
            .map((s) => new Date(start + s * 1000).toUTCString()),
          fc.string(),
        ),
        (attempt, retryAfter) => {
          const without = nextTry({ at: start, attempt }, () => 0.5)!;
          const given = nextTry({ at: start, attempt, retryAfter }, () => 0.5)!;
          expect(given).toBeGreaterThanOrEqual(without);
          expect(given).toBeLessThanOrEqual(Math.max(without, start + day));
        },
      ),
    );
  });

  it('ends for every attempt beyond, whatever is asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 1000 }), (attempt) => {
        expect(nextTry({ at: start, attempt, retryAfter: '60' }, () => 0)).toBeUndefined();
      }),
    );
  });

  it.each([
    ['120', 120_000],
    [' 7 ', 7_000],
    ['99999999999999999999', day],
    ['Sat, 31 Jan 2026 12:01:00 GMT', 60_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['Sat, 30 Jan 2027 12:00:00 GMT', day],
    ['-5', 0],
    ['1.5', 0],
    ['tomorrow', 0],
    ['2026-02-01', 0],
    ['', 0],
  ])('reads Retry-After: %s', (value, pause) => {
    expect(askedPause(value, start)).toBe(pause);
  });
});
