import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageTokens } from '../../../lib/adapters/dynamo/page-tokens.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeAll(async () => {
  house = await tableHouse();
});
afterAll(() => house.close());
const position = { after: '01k0000000000000000000000a', key: { pk: 'O#org_1', sk: 'x' } };

describe('a page token', () => {
  it('opens for its purpose, in any instance, and reads nothing of what is inside', async () => {
    const token = await pageTokens(house.database).seal(position, 'list of org_1');
    expect(await pageTokens(house.database).open(token, 'list of org_1')).toEqual(position);
    expect(await pageTokens(house.database).open(token, 'list of org_2')).toBeUndefined();
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('org_1');
    expect(encodeURIComponent(token)).toBe(token);
  });

  it('is another each time', async () => {
    const tokens = pageTokens(house.database);
    expect(await tokens.seal(position, 'p')).not.toBe(await tokens.seal(position, 'p'));
  });

  it('changed in any bit of any byte, shortened or lengthened, opens nothing', async () => {
    const tokens = pageTokens(house.database);
    for (const size of [0, 1, 2]) {
      const token = await tokens.seal({ ...position, pad: 'x'.repeat(size) }, 'p');
      const bytes = Buffer.from(token, 'base64url');
      for (let at = 0; at < bytes.length; at++)
        for (let bit = 0; bit < 8; bit++) {
          const changed = Buffer.from(bytes);
          changed[at]! ^= 1 << bit;
          expect(await tokens.open(changed.toString('base64url'), 'p')).toBeUndefined();
        }
      for (let at = 0; at < token.length; at++)
        for (const char of ['A', 'b', '_', '=', '!', ' ']) {
          const changed = token.slice(0, at) + char + token.slice(at + 1);
          if (changed !== token) expect(await tokens.open(changed, 'p')).toBeUndefined();
          expect(await tokens.open(token.slice(0, at) + char + token.slice(at), 'p')).toBeUndefined();
        }
      for (let end = 0; end < token.length; end++)
        expect(await tokens.open(token.slice(0, end), 'p')).toBeUndefined();
      for (const more of ['=', '==', ' ', '\n', 'A', '!'])
        expect(await tokens.open(token + more, 'p')).toBeUndefined();
    }
  });

  it('costs one read for each start of a function, and its key is made once by many at once', async () => {
    const place = await tableHouse();
    const starts = Array.from({ length: 10 }, () => pageTokens(place.database));
    const tokens = await Promise.all(starts.map((start) => start.seal(position, 'p')));
    for (const start of starts)
      for (const token of tokens) expect(await start.open(token, 'p')).toEqual(position);
    expect((await place.rows()).filter(({ pk }) => pk === 'SECRET')).toHaveLength(1);
    place.forget();
    const next = pageTokens(place.database);
    await Promise.all([next.seal(position, 'p'), next.seal(position, 'p'), next.open(tokens[0]!, 'p')]);
    expect(place.counted().map(({ action }) => action)).toEqual(['GetItem']);
    await place.close();
  });

  it('is made after all when the first read failed', async () => {
    const place = await tableHouse();
    let down = true;
    place.cloud.deny = () => down;
    const tokens = pageTokens(place.database);
    await expect(tokens.seal(position, 'p')).rejects.toThrow();
    down = false;
    await expect(tokens.seal(position, 'p')).resolves.toBeDefined();
    await place.close();
  });
});
