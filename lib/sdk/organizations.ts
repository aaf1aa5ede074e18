import type { Caller } from './caller.ts';

/** The organization of the key. */
export const organizations = (call: Caller) => ({
  get: () => call('organizations.get'),
});
