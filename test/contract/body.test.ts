import { describe, expect, it } from 'vitest';
import {
  createOperatorKey,
  credentialRequest,
  issuedCredential,
  publicJwk,
} from '../../lib/contract/credential.ts';
import { createInbox, updateInbox } from '../../lib/contract/inbox.ts';
import { updateLabels } from '../../lib/contract/label.ts';
import { batchGetMessages, batchUpdateMessages } from '../../lib/contract/message.ts';
import { proveKey } from '../../lib/sdk/key.ts';
import { testKey } from '../edge/key-fixture.ts';

const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('a key in a body', () => {
  const { jwk } = testKey();
  it('is public, or refused', async () => {
    const proved = await proveKey('org_1', jwk);
    expect(fits(credentialRequest, proved)).toBe(true);
    expect(fits(createOperatorKey, { ...proved, name: 'n', permissions: { inbox_read: true } })).toBe(true);
    expect(fits(publicJwk, jwk)).toBe(false);
    expect(fits(publicJwk, { ...proved.public_key, use: 'sig' })).toBe(false);
    expect(fits(publicJwk, { kty: 'RSA', n: 'x', e: 'AQAB' })).toBe(false);
    expect(fits(credentialRequest, { ...proved, proof: `${proved.proof}=` })).toBe(false);
  });
  it('is told with its private half where it was made', () => {
    expect(
      issuedCredential.parse({ api_key_id: 'k', keyid: 't', private_jwk: { ...jwk, kid: 'x' } }).private_jwk,
    ).toEqual(jwk);
  });
  it('of an operator may carry a name and permissions', () => {
    expect(fits(createOperatorKey, { type: 'generate', name: 'n', permissions: { inbox_read: true } })).toBe(
      true,
    );
    expect(fits(createOperatorKey, { type: 'generate', permissions: { fly: true } })).toBe(false);
  });
});

describe('labels', () => {
  it('are one or many, folded, and removed when on both lists', () => {
    expect(updateLabels.parse({ add_labels: ' Unread ', remove_labels: null })).toEqual({
      add: ['unread'],
      remove: [],
    });
    expect(updateLabels.parse({ add_labels: ['a', 'A', 'b'], remove_labels: ['B'] })).toEqual({
      add: ['a'],
      remove: ['b'],
    });
  });
  it('of the system are nobody’s, and saying nothing is refused', () => {
    expect(updateLabels.safeParse({ add_labels: ['RECEIVED'] }).error?.issues[0]?.message).toBe(
      'Cannot use system label: received',
    );
    expect(fits(updateLabels, {})).toBe(false);
    expect(fits(updateLabels, { add_labels: Array.from({ length: 21 }, (_, n) => `l${n}`) })).toBe(false);
  });
});

describe('batches', () => {
  it('name each message once, and not too many', () => {
    expect(fits(batchGetMessages, { message_ids: ['a', 'a'] })).toBe(false);
    expect(fits(batchGetMessages, { message_ids: [] })).toBe(false);
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `m${n}`);
    expect([
      fits(batchGetMessages, { message_ids: ids(500) }),
      fits(batchGetMessages, { message_ids: ids(501) }),
    ]).toEqual([true, false]);
    expect([
      fits(batchUpdateMessages, { message_ids: ids(50), add_labels: 'x' }),
      fits(batchUpdateMessages, { message_ids: ids(51), add_labels: 'x' }),
    ]).toEqual([true, false]);
    expect(batchUpdateMessages.parse({ message_ids: ['m'], add_labels: 'X' })).toEqual({
      message_ids: ['m'],
      add: ['x'],
      remove: [],
    });
  });
});

describe('an inbox in a body', () => {
  it('has a display name that cannot break a header', () => {
    for (const display_name of ['A <b@c>', 'a\r\nBcc: x', '"', 'a,b', ''])
      expect(fits(createInbox, { display_name }), display_name).toBe(false);
    for (const display_name of ['Alice B. C.', 'Jürgen – Büro', null])
      expect(fits(createInbox, { display_name }), String(display_name)).toBe(true);
  });
  it('is updated by saying something', () => {
    expect([{}, { metadata: {} }, { metadata: { a: {} } }].map((body) => fits(updateInbox, body))).toEqual([
      false,
      false,
      false,
    ]);
    expect(
      [{ metadata: null }, { metadata: { a: null } }, { display_name: null }].map((body) =>
        fits(updateInbox, body),
      ),
    ).toEqual([true, true, true]);
  });
});
