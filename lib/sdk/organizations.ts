import type { Body, Caller } from './caller.ts';

/** The organization of the key. */
export const organizations = (call: Caller) => ({
  get: () => call('organizations.get'),
  /** With an unrestricted key only. `bearer_keys` says whether keys without a signature open doors. */
  update: (body: Body<'organizations.update'>) => call('organizations.update', { body }),
});
