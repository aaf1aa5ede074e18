import { generateKeyPairSync, type verify } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PublicJwk } from '../../lib/contract/credential.ts';
import { isSafePoint } from '../../lib/adapters/ed25519-point.ts';
import { keys } from '../../lib/adapters/keys.ts';

// A runtime that looks at nothing: what Node 24 refuses by itself, an older one lets pass.
const lax = vi.hoisted(() => ({ on: false }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<{ verify: typeof verify }>();
  return {
    ...crypto,
    verify: (...all: Parameters<typeof verify>) => lax.on || crypto.verify(...all),
  };
});
afterEach(() => {
  lax.on = false;
});

const prime = 2n ** 255n - 19n;
const mod = (value: bigint): bigint => ((value % prime) + prime) % prime;
function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)];
  for (let left = exponent; left > 0n; left >>= 1n, square = mod(square * square))
    if (left & 1n) result = mod(result * square);
  return result;
}
const inverse = (value: bigint): bigint => power(value, prime - 2n);
const d = mod(-121665n * inverse(121666n));

/** A point of edwards25519 of this y (RFC 8032 §5.1.3), where there is one. */
function pointOf(y: bigint): [bigint, bigint] | undefined {
  const square = mod((y * y - 1n) * inverse(d * y * y + 1n));
  let x = power(square, (prime + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (prime - 1n) / 4n));
  return mod(x * x) === square ? [x, mod(y)] : undefined;
}
function doubled([x, y]: [bigint, bigint]): [bigint, bigint] {
  const t = mod(d * x * x * y * y);
  return [mod(2n * x * y * inverse(1n + t)), mod((y * y + x * x) * inverse(1n - t))];
}

const encoded = (y: bigint, sign = 0): string => {
  const bytes = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31]! |= sign << 7;
  return bytes.toString('base64url');
};
const okp = (x: string): PublicJwk => ({ kty: 'OKP', crv: 'Ed25519', x });
const anyProof = Buffer.alloc(64, 1).toString('base64url');

const eighth = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const small = [0n, 1n, prime - 1n, eighth, mod(-eighth)];

describe('an Ed25519 public key', () => {
  it('of small order proves nothing, whatever the runtime says', () => {
    lax.on = true;
    for (const y of small) {
      const point = pointOf(y)!;
      expect(doubled(doubled(doubled(point)))).toEqual([0n, 1n]);
      for (const sign of [0, 1]) expect(keys.verify(okp(encoded(y, sign)), 'a text', anyProof)).toBe(false);
    }
    const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    expect(keys.verify(okp(x!), 'a text', anyProof)).toBe(true);
  });

  it('in a second spelling of its point is refused: y of the field’s size and more, spare bits, other lengths', () => {
    for (let y = prime; y < 2n ** 255n; y++)
      for (const sign of [0, 1]) expect(isSafePoint(encoded(y, sign))).toBe(false);
    const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as { x: string };
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const spare = x.slice(0, -1) + digits[digits.indexOf(x.at(-1)!) + 1]!;
    expect(Buffer.from(spare, 'base64url')).toEqual(Buffer.from(x, 'base64url'));
    for (const other of [spare, `${x}=`, ` ${x}`, x.slice(0, -1), `${x}A`, ''])
      expect(isSafePoint(other)).toBe(false);
  });

  it('made by anybody is safe', () => {
    for (let n = 0; n < 50; n++)
      expect(keys.generate().public_key).toSatisfy((jwk: { x: string }) => isSafePoint(jwk.x));
  });
});

describe('the verification of a proof', () => {
  it('is false, not an error, for what is no point and no signature', () => {
    const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const ec = (one: string, two: string): PublicJwk => ({ kty: 'EC', crv: 'P-256', x: one, y: two });
    const zero = Buffer.alloc(32).toString('base64url');
    for (const jwk of [ec(x!, y!), ec(x!, x!), ec(zero, zero), okp(x!), okp(encoded(2n))])
      for (const proof of [anyProof, '', 'AA', Buffer.alloc(72).toString('base64url')])
        expect(keys.verify(jwk, 'a text', proof)).toBe(false);
  });
});
