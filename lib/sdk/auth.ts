import type { Body, Caller } from './caller.ts';

/** Who the key is, and what it mints. */
export const auth = (call: Caller) => ({
  me: () => call('auth.me'),
  /** A bearer for clients that cannot sign, good for an hour at most. It is shown once. */
  token: (body: Body<'auth.token'> = {}) => call('auth.token', { body }),
});
