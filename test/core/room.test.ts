import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intakeOf, type Room } from '../../lib/core/room.ts';

const roomOf = (more: Partial<Room> = {}): Room => ({
  ...{ stored_bytes: 0, storage_limit: 1000, warned: false, organization_full: false },
  ...more,
});

describe('room for a mail', () => {
  it('is there up to the last byte of the limit, and not beyond', () => {
    expect(intakeOf(roomOf({ stored_bytes: 900 }), 100)).toMatchObject({ warning: 'given' });
    expect(intakeOf(roomOf({ stored_bytes: 900 }), 101)).toBe('full');
    expect(intakeOf(roomOf(), 1001)).toBe('full');
  });

  it('is there without a limit, save in an organization that is full', () => {
    const { storage_limit: _, ...unlimited } = roomOf({ stored_bytes: 10 ** 12 });
    expect(intakeOf(unlimited, 40_000_000)).toBe('unlimited');
    expect(intakeOf({ ...unlimited, organization_full: true }, 1)).toBe('full');
    expect(intakeOf(roomOf({ organization_full: true }), 1)).toBe('full');
  });

  it.each([
    [0, 799, false, undefined],
    [0, 800, false, 'given'],
    [799, 1, false, 'given'],
    [799, 1, true, undefined],
    [700, 200, true, undefined],
    [699, 1, true, 'forgotten'],
    [699, 101, true, 'given'],
  ] as const)(
    'with %i bytes in it and %i more, warned: %s, has a warning %s',
    (stored_bytes, size, warned, warning) => {
      expect(intakeOf(roomOf({ stored_bytes, warned }), size)).toHaveProperty('storage_limit', 1000);
      expect((intakeOf(roomOf({ stored_bytes, warned }), size) as { warning?: string }).warning).toBe(
        warning,
      );
    },
  );

  it('is decided alike for every count that its condition lets through, and for no other', () => {
    const bytes = fc.integer({ min: -10, max: 1200 });
    fc.assert(
      fc.property(
        bytes,
        bytes,
        fc.integer({ min: 0, max: 1100 }),
        fc.boolean(),
        (seen, then, size, warned) => {
          const decided = intakeOf(roomOf({ stored_bytes: seen, warned }), size);
          fc.pre(typeof decided === 'object');
          if (typeof decided !== 'object') return;
          const inside = then >= decided.between[0] && then <= decided.between[1];
          const again = intakeOf(roomOf({ stored_bytes: then, warned }), size);
          expect(JSON.stringify(again) === JSON.stringify(decided)).toBe(inside);
        },
      ),
    );
  });

  it('is warned of once for each time it becomes little, however mails come and go', () => {
    const step = fc.integer({ min: -400, max: 400 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const room = roomOf();
        // The rule itself, told by every count of bytes and not only where a mail comes.
        let [calm, expected, given] = [true, 0, 0];
        for (const by of steps) {
          if (by < 0) room.stored_bytes = Math.max(0, room.stored_bytes + by);
          else {
            const intake = intakeOf(room, by);
            if (typeof intake !== 'object') continue;
            room.stored_bytes += by;
            if (intake.warning !== undefined) room.warned = intake.warning === 'given';
            if (intake.warning === 'given') given++;
            if (calm && room.stored_bytes >= 800) [calm, expected] = [false, expected + 1];
          }
          if (room.stored_bytes < 700) calm = true;
        }
        expect(given).toBe(expected);
      }),
    );
  });
});
