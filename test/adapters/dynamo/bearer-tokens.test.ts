import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearerTokens } from '../../../lib/adapters/dynamo/bearer-tokens.ts';
import { pageTokens } from '../../../lib/adapters/dynamo/page-tokens.ts';
import type { TokenClaims } from '../../../lib/core/mint-token.ts';
import { readBearer } from '../../../lib/edge/bearer.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeAll(async () => {
  house = await tableHouse();
});
afterAll(() => house.close());

const claims: TokenClaims = {
  token_id: 'tok_1',
  keyid: 'thumbprint',
  organization_id: 'org_1',
  pod_id: 'pod_1',
  inbox: { uid: 'inb_1', inbox_id: 'a@b.test', organization_id: 'org_1', pod_id: 'pod_1' },
  permissions: { message_read: true },
  expires_at: '2026-01-31T13:00:00.000Z',
};

describe('a minted token', () => {
  it('opens in any instance, shows nothing, and is a bearer by its form', async () => {
    const token = await bearerTokens(house.database).seal(claims);
    expect(token).toMatch(/^pht_[A-Za-z0-9_-]+$/);
    expect(await bearerTokens(house.database).open(token)).toEqual(claims);
    expect(Buffer.from(token.slice(4), 'base64url').toString('latin1')).not.toContain('org_1');
    expect(readBearer(`Bearer ${token}`)).toEqual({ kind: 'token', text: token });
  });

  it('changed in any character, shortened or lengthened, opens nothing', async () => {
    const tokens = bearerTokens(house.database);
    const token = await tokens.seal(claims);
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(await tokens.open(changed)).toBeUndefined();
      expect(await tokens.open(token.slice(0, at))).toBeUndefined();
    }
    for (const more of ['=', 'A', ' ', '\n', '.']) expect(await tokens.open(token + more)).toBeUndefined();
    for (const other of ['', 'pht_', 'ph_x', token.slice(4), `pht_${'A'.repeat(9000)}`])
      expect(await tokens.open(other)).toBeUndefined();
  });

  it('of another mailroom opens nothing', async () => {
    const other = await tableHouse();
    expect(await bearerTokens(house.database).open(await bearerTokens(other.database).seal(claims))).toBe(
      undefined,
    );
    await other.close();
  });

  it('is no page token, and a page token is no bearer, whatever the purpose', async () => {
    const tokens = bearerTokens(house.database);
    const pages = pageTokens(house.database);
    const token = await tokens.seal(claims);
    for (const purpose of ['', 'bearer', 'bearer v1', 'list of org_1']) {
      expect(await pages.open(token.slice(4), purpose)).toBeUndefined();
      expect(await pages.open(token, purpose)).toBeUndefined();
      expect(await tokens.open(`pht_${await pages.seal({ ...claims }, purpose)}`)).toBeUndefined();
    }
    const secrets = (await house.rows()).filter(({ pk }) => pk === 'SECRET').map(({ secret }) => secret);
    expect(new Set(secrets).size).toBe(2);
  });
});
