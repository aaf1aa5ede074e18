import { audit } from './audit.ts';
import { archives } from './archives.ts';
import { apiKeys } from './api-keys.ts';
import { auth } from './auth.ts';
import { createCaller } from './caller.ts';
import { inboxes } from './inboxes.ts';
import { organizations } from './organizations.ts';
import { pods } from './pods.ts';
import { createSigningFetch, type Key } from './signing-fetch.ts';
import { threads } from './threads.ts';
import { createTransport, type TransportOptions } from './transport.ts';
import { webhooks } from './webhooks.ts';

export interface ClientOptions extends Omit<TransportOptions, 'fetch'> {
  key: Key;
  /** Sends what was signed; the platform's by default. */
  fetch?: typeof fetch;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** A client of one key. Every refusal is thrown as the `Problem` the server answered with. */
export function createClient({ key, fetch: send, now, ...options }: ClientOptions) {
  const signing = createSigningFetch(key, { ...(send && { fetch: send }), ...(now && { now }) });
  const call = createCaller(createTransport({ ...options, fetch: signing }));
  return {
    audit: audit(call),
    auth: auth(call),
    organizations: organizations(call),
    pods: pods(call),
    apiKeys: apiKeys(call),
    inboxes: inboxes(call),
    archives: archives(call),
    threads: threads(call),
    webhooks: webhooks(call),
  };
}

export type Client = ReturnType<typeof createClient>;
