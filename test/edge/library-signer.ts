import { createHash, randomUUID } from 'node:crypto';
import { createSigner, httpbis } from 'http-message-signatures';
import type { Sent } from './api-event.ts';
import type { TestKey } from './key-fixture.ts';

export interface LibrarySigning {
  now: number;
  fields?: string[];
  params?: string[];
  values?: Record<string, string | Date | null>;
  digest?: 'sha-256' | 'sha-512';
  label?: string;
  method?: string;
}

/** Signs with npm's http-message-signatures: a signer that is not ours. */
export async function librarySigned(key: TestKey, sent: Sent, signing: LibrarySigning): Promise<Sent> {
  const { now, digest = 'sha-256', label = 'sig' } = signing;
  const alg = key.jwk.kty === 'OKP' ? 'ed25519' : 'ecdsa-p256-sha256';
  const hasBody = sent.body !== undefined && sent.body.length > 0;
  const hash = hasBody && createHash(digest.replace('-', '')).update(sent.body!).digest('base64');
  const headers = { ...sent.headers, ...(hash && { 'content-digest': `${digest}=:${hash}:` }) };
  const fields = signing.fields ?? ['@method', '@target-uri', ...(hash ? ['content-digest'] : [])];
  const params = signing.params ?? ['created', 'nonce', 'keyid'];
  const paramValues = { created: new Date(now), nonce: randomUUID(), keyid: key.keyid, ...signing.values };
  const { headers: signed } = await httpbis.signMessage(
    { key: createSigner(key.privateKey, alg), name: label, fields, params, paramValues },
    { method: sent.method ?? 'GET', url: sent.url, headers },
  );
  return { ...sent, headers: signed };
}
