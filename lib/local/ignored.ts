import * as z from 'zod';

/** A template property that has no effect on this machine; the reason stands where it is named. */
export const ignored = (why: string) => z.unknown().optional().describe(`ignored: ${why}`);
