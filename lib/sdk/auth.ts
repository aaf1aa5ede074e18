import type { Caller } from './caller.ts';

/** Who the key is. */
export const auth = (call: Caller) => ({
  me: () => call('auth.me'),
});
