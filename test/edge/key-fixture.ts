import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { publicJwkOf, thumbprint, type SigningJwk } from '../../lib/sdk/key.ts';
import type { StoredCredential } from '../../lib/edge/directory.ts';

export interface TestKey {
  jwk: SigningJwk;
  keyid: string;
  privateKey: KeyObject;
  credential: StoredCredential;
}

export function testKey(
  kind: 'ed25519' | 'p256' = 'ed25519',
  change: Partial<StoredCredential> = {},
): TestKey {
  const pair =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = pair.privateKey.export({ format: 'jwk' }) as SigningJwk;
  const keyid = thumbprint(jwk);
  const credential: StoredCredential = {
    type: 'public_key',
    api_key_id: `key_${kind}`,
    keyid,
    public_key: publicJwkOf(jwk),
    organization_id: 'org_1',
    state: 'active',
    ...change,
  };
  return { jwk, keyid, privateKey: createPrivateKey({ key: { ...jwk }, format: 'jwk' }), credential };
}
