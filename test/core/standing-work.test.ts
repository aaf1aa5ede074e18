import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expiryOf, nextMeasurement, nextRetention, nextTurn } from '../../lib/core/standing-work.ts';
import { storedInbox } from '../support/table-house.ts';

const minute = 60_000;
const noon = Date.parse('2026-02-01T12:00:30.000Z');

describe('the next turn of standing work', () => {
  it('is ahead, within its period, and the same for whoever asks before it comes', () => {
    const periods = fc.constantFrom(5, 1440);
    fc.assert(
      fc.property(
        fc.string(),
        periods,
        fc.nat(1e13),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, period, now, share) => {
          const next = nextTurn(name, period, now);
          expect(next % minute).toBe(0);
          expect(next).toBeGreaterThan(now);
          expect(next - now).toBeLessThanOrEqual(period * minute);
          const meanwhile = now + Math.floor(share * (next - now - 1));
          expect(nextTurn(name, period, meanwhile)).toBe(next);
          expect(nextTurn(name, period, next)).toBe(next + period * minute);
        },
      ),
    );
  });

  it('is each inbox’s and organization’s own, a day and five minutes apart', () => {
    const turns = new Set(
      Array.from(
        { length: 50 },
        (_, n) => nextRetention('org_1', `inb_${n}x${n * 7}`, noon).at % (1440 * minute),
      ),
    );
    expect(turns.size).toBeGreaterThan(40);
    const { at, work } = nextRetention('org_1', undefined, noon);
    expect(work).toEqual({ kind: 'retain-mail', organization_id: 'org_1' });
    expect(nextRetention('org_1', undefined, at).at - at).toBe(1440 * minute);
    const measured = nextMeasurement('org_1', noon).at;
    expect(nextMeasurement('org_1', measured).at - measured).toBe(5 * minute);
  });
});

describe('the end of an inbox', () => {
  const end = (expires_at: string) =>
    expiryOf(storedInbox('ada', { expires_at }), 60, noon).map(({ work, at }) => [
      work.kind,
      new Date(at).toISOString(),
    ]);
  it('is never taken up before it comes, since a minute is taken as it begins', () => {
    expect(end('2026-02-01T15:00:01.000Z')).toEqual([
      ['announce-expiry', '2026-02-01T14:00:01.000Z'],
      ['expire-inbox', '2026-02-01T15:01:00.000Z'],
    ]);
    expect(end('2026-02-01T15:00:00.000Z')[1]).toEqual(['expire-inbox', '2026-02-01T15:00:00.000Z']);
  });
  it('is announced at once where it is nearer than the notice', () => {
    expect(end('2026-02-01T12:30:00.000Z')[0]).toEqual(['announce-expiry', '2026-02-01T12:00:30.000Z']);
  });
  it('is nothing to wait for where there is none', () => {
    expect(expiryOf(storedInbox(), 60, noon)).toEqual([]);
  });
});
