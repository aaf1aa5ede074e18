import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createApiKey as bodySchema, type CreatedApiKey } from '../../lib/contract/api-key.ts';
import { permissionNames, within, type Permissions } from '../../lib/contract/permission.ts';
import type { KeyPrincipal, Scope } from '../../lib/contract/principal.ts';
import * as keysOf from '../../lib/core/api-keys.ts';
import { scopeOfKey } from '../../lib/core/key-bounds.ts';
import type { Credential } from '../../lib/core/ports.ts';
import { deedOf, MemoryKeys } from '../support/memory-keys.ts';
import { counting, keys, plainTokens } from '../support/memory-ports.ts';

const organization: Scope = { organization_id: 'org_1' };
const pod: Scope = { organization_id: 'org_1', pod_id: 'pod_1' };
const inbox: Scope = {
  ...pod,
  inbox: { uid: 'inb_a', inbox_id: 'a@mail.example.com', organization_id: 'org_1', pod_id: 'pod_1' },
};
const start = Date.parse('2026-01-01T00:00:00.000Z');
const day = (n: number): string => new Date(start + n * 86_400_000).toISOString();
const root: KeyPrincipal = { kind: 'key', scope: organization, api_key_id: 'key_root', keyid: 'k_root' };
const allTrue = Object.fromEntries(permissionNames.map((name) => [name, true]));

let apiKeys: MemoryKeys;
let deps: {
  apiKeys: MemoryKeys;
  keys: typeof keys;
  tokens: typeof plainTokens;
  now: () => number;
  ulid: () => string;
};
beforeEach(() => {
  apiKeys = new MemoryKeys();
  deps = { apiKeys, keys, tokens: plainTokens, now: () => start, ulid: counting() };
});

const create = (principal: KeyPrincipal, body: object, scope: Scope = principal.scope, deed = deedOf()) =>
  keysOf.createApiKey(deps)({
    principal,
    scope,
    body: bodySchema.parse({ type: 'generate', ...body }),
    deed,
  });
const update = (principal: KeyPrincipal, api_key_id: string, body: object, scope = principal.scope) =>
  keysOf.updateApiKey(deps)({ principal, scope, path: { api_key_id }, body, deed: deedOf() });
const remove = (principal: KeyPrincipal, api_key_id: string, scope = principal.scope) =>
  keysOf.deleteApiKey(deps)({ principal, scope, path: { api_key_id }, deed: deedOf() });
const get = (scope: Scope, api_key_id: string) => keysOf.getApiKey(deps)({ scope, path: { api_key_id } });
const refused = (code: string) => expect.objectContaining({ code }) as Error;

/** Whoever signs with a key that was made here. */
function holderOf({ api_key_id }: { api_key_id: string }): KeyPrincipal {
  const key = apiKeys.rows.get(api_key_id)!;
  return {
    kind: 'key',
    api_key_id,
    keyid: key.keyid,
    scope: scopeOfKey(key),
    ...(key.permissions && { permissions: key.permissions }),
    ...(key.expires_at !== undefined && { expires_at: key.expires_at }),
  };
}

describe('a new key', () => {
  it('has what its parent has, where nothing is asked', async () => {
    const parent = { ...root, permissions: { inbox_read: true }, expires_at: day(3) };
    const deed = deedOf();
    const made = await create(parent, {}, inbox, deed);
    expect(made).toMatchObject({
      type: 'public_key',
      pod_id: 'pod_1',
      inbox_id: 'a@mail.example.com',
      permissions: { inbox_read: true },
      expires_at: day(3),
      created_by: { api_key_id: 'key_root' },
    });
    expect(made).toHaveProperty('private_jwk');
    if (made.type === 'public_key') expect(made.name).toBe(`key ${made.keyid.slice(0, 8)}`);
    expect(deed.line.resources).toEqual([made.api_key_id]);
    expect(deed.line.inbox_uid).toBe('inb_a');
    expect(JSON.stringify([...apiKeys.rows.values()])).not.toContain('"d":');
  });

  it('of an unrestricted parent is unrestricted, and shows all permissions', async () => {
    const made = await create(root, {});
    expect(made.permissions).toEqual(allTrue);
    expect(apiKeys.rows.get(made.api_key_id)).not.toHaveProperty('permissions');
  });

  it('of a minted token is never unrestricted', async () => {
    const made = await create({ ...root, token_id: 'tok_1', expires_at: day(1) }, {});
    expect(apiKeys.rows.get(made.api_key_id)?.permissions).toEqual(allTrue);
  });

  it.each([
    ['a permission more', { permissions: { inbox_read: true, inbox_create: true } }],
    ['a later end', { expires_at: day(4) }],
  ])('with %s than its parent is refused', async (_, asked) => {
    const parent = { ...root, permissions: { inbox_read: true }, expires_at: day(3) };
    await expect(create(parent, asked)).rejects.toThrow(refused('permission_escalation'));
    expect(apiKeys.rows.size).toBe(0);
  });

  it('cannot end before it begins', async () => {
    await expect(create(root, { expires_at: day(-1) })).rejects.toThrow(refused('validation_error'));
  });

  it('keeps its end in one spelling', async () => {
    const made = await create(root, { expires_at: '2026-01-02T02:00:00+02:00' });
    expect(made.expires_at).toBe(day(1));
  });
});

describe('a bearer key', () => {
  it('is shown once, and kept as its hash', async () => {
    const made = (await create(root, { type: 'bearer' })) as CreatedApiKey & { api_key: string };
    expect(made.api_key).toMatch(/^ph_[\w-]{43}$/);
    expect(made).toMatchObject({ prefix: made.api_key.slice(0, 11) });
    expect(JSON.stringify([...apiKeys.rows.values()])).not.toContain(made.api_key);
    expect(await get(organization, made.api_key_id)).not.toHaveProperty('api_key');
  });

  it('is refused where the organization takes none, with the way to switch them on', async () => {
    apiKeys.bearerKeys = false;
    const error = await create(root, { type: 'bearer' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'missing_permission',
      detail: { fix: expect.stringContaining('bearer_keys') as string },
    });
  });
});

describe('a client id', () => {
  it('answers the first key without its secret, and finds it in a path', async () => {
    const first = await create(root, { client_id: 'mine', name: 'first' });
    const deed = deedOf();
    const again = await create(
      root,
      { client_id: 'mine', name: 'second', type: 'bearer' },
      organization,
      deed,
    );
    expect(again).toMatchObject({ api_key_id: first.api_key_id, name: 'first', type: 'public_key' });
    expect(again).not.toHaveProperty('private_jwk');
    expect(deed.line.resources).toEqual([first.api_key_id]);
    expect((await get(organization, 'mine')).api_key_id).toBe(first.api_key_id);
  });

  it('of another scope is a conflict that shows nothing', async () => {
    await create(root, { client_id: 'mine' });
    await expect(create({ ...root, scope: pod }, { client_id: 'mine' })).rejects.toThrow(refused('conflict'));
  });

  it('whose key is being revoked is tried again', async () => {
    apiKeys.next = ['passing', 'passing'];
    expect(await create(root, { client_id: 'mine' })).toHaveProperty('private_jwk');
  });
});

describe('what the store refuses', () => {
  it.each([
    ['key_registered', 'conflict'],
    ['no_organization', 'not_found'],
    ['no_place', 'not_found'],
    ['no_parent', 'unknown_api_key'],
    ['organization_suspended', 'account_suspended'],
  ] as const)('%s is %s', async (word, code) => {
    apiKeys.next = [word];
    await expect(create(root, {})).rejects.toThrow(refused(code));
  });
});

describe('a key out of scope', () => {
  it('is not there: to get, to change, to revoke, to list', async () => {
    const { api_key_id } = await create(root, {});
    const holder = { ...root, scope: pod };
    await expect(get(pod, api_key_id)).rejects.toThrow(refused('not_found'));
    await expect(update(holder, api_key_id, { name: 'n' })).rejects.toThrow(refused('not_found'));
    await expect(remove(holder, api_key_id)).rejects.toThrow(refused('not_found'));
    expect((await keysOf.listApiKeys(deps)({ scope: pod, query: {} })).api_keys).toEqual([]);
  });
});

describe('a change', () => {
  it('keeps what it does not name', async () => {
    const { api_key_id } = await create(root, { permissions: { inbox_read: true }, name: 'a' });
    expect(await update(root, api_key_id, { name: 'b' })).toMatchObject({
      name: 'b',
      permissions: { inbox_read: true },
    });
    const changed = await update(root, api_key_id, { permissions: {} });
    expect(changed).toMatchObject({ name: 'b', permissions: {} });
  });

  it('of a key that may more, before or after, is refused; so is its end', async () => {
    const holder = { ...root, permissions: { inbox_read: true, api_key_update: true } };
    const more = await create(root, {});
    const less = await create(root, { permissions: { inbox_read: true } });
    const escalation = refused('permission_escalation');
    await expect(update(holder, more.api_key_id, { name: 'x' })).rejects.toThrow(escalation);
    await expect(remove(holder, more.api_key_id)).rejects.toThrow(escalation);
    await expect(update(holder, less.api_key_id, { permissions: { inbox_create: true } })).rejects.toThrow(
      escalation,
    );
  });

  it('gives nothing to a key that outlives whoever gives', async () => {
    const long = await create(root, { permissions: { inbox_read: true } });
    const brief = { ...root, expires_at: day(1) };
    await expect(
      update(brief, long.api_key_id, { permissions: { inbox_read: true, inbox_create: true } }),
    ).rejects.toThrow(refused('permission_escalation'));
    expect(await update(brief, long.api_key_id, { permissions: {} })).toMatchObject({ permissions: {} });
  });

  it("is made again upon a neighbour's", async () => {
    const { api_key_id } = await create(root, {});
    let first = true;
    apiKeys.before = () => {
      if (!first) return;
      first = false;
      const key = apiKeys.rows.get(api_key_id)!;
      apiKeys.rows.set(api_key_id, { ...key, permissions: { inbox_read: true }, updated_at: day(1) });
    };
    expect(await update(root, api_key_id, { name: 'b' })).toMatchObject({
      name: 'b',
      permissions: { inbox_read: true },
    });
  });
});

describe('a revoked key', () => {
  it('is gone, and gone again', async () => {
    const { api_key_id } = await create(root, {});
    await remove(root, api_key_id);
    await expect(remove(root, api_key_id)).rejects.toThrow(refused('not_found'));
    await expect(get(organization, api_key_id)).rejects.toThrow(refused('not_found'));
  });
});

describe('the operator', () => {
  it('issues, lists and revokes without bounds', async () => {
    const path = { organization_id: 'org_1' };
    const call = { principal: { kind: 'operator' } as const, query: undefined, deed: deedOf() };
    const made = await keysOf.issueOrganizationKey(deps)({ ...call, path, body: { type: 'generate' } });
    expect(made).not.toHaveProperty('created_by');
    const query = {};
    const list = () => keysOf.listOrganizationKeys(deps)({ ...call, path, query, body: undefined });
    expect((await list()).api_keys).toHaveLength(1);
    const { api_key_id } = made;
    await keysOf.revokeOrganizationKey(deps)({ ...call, path: { ...path, api_key_id }, body: undefined });
    expect((await list()).api_keys).toEqual([]);
  });
});

/** What a key may: nothing it ever held went beyond this. */
interface Ceiling {
  permissions: Permissions | undefined;
  end: number;
}

describe('escalation', () => {
  const few = ['inbox_read', 'inbox_create', 'message_read', 'api_key_create', 'audit_read'] as const;
  const some = fc.dictionary(fc.constantFrom(...few), fc.boolean(), { maxKeys: 5 });
  const step = fc.record({
    by: fc.nat(),
    on: fc.nat(),
    does: fc.constantFrom('create', 'update'),
    permissions: fc.option(some, { nil: undefined }),
    days: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    scope: fc.constantFrom(organization, pod, inbox),
    token: fc.boolean(),
  });

  it('never happens: no key is more than the key first in its line, whatever its descendants do', async () => {
    await fc.assert(
      fc.asyncProperty(
        some,
        fc.integer({ min: 1, max: 9 }),
        fc.array(step, { maxLength: 25 }),
        async (held, days, steps) => {
          apiKeys.rows.clear();
          const ceiling: Ceiling = { permissions: held, end: Date.parse(day(days)) };
          const stranger = await create(root, { permissions: { inbox_read: true } });
          const eldest = await create(root, { permissions: held, expires_at: day(days) }, pod);
          const line = [eldest.api_key_id];
          for (const { by, on, does, permissions, days: asked, scope, token } of steps) {
            const own = holderOf({ api_key_id: line[by % line.length]! });
            const holder = token ? { ...own, token_id: 'tok' } : own;
            const target = on % 4 === 0 ? stranger.api_key_id : line[on % line.length]!;
            // As the edge does: a path out of the caller's scope is not there.
            const inScope =
              own.scope.inbox !== undefined ? own.scope : scope === organization ? own.scope : scope;
            try {
              if (does === 'update') await update(holder, target, { permissions: permissions ?? {} });
              else {
                const made = await create(
                  holder,
                  { ...(permissions && { permissions }), ...(asked && { expires_at: day(asked) }) },
                  inScope,
                );
                expectWithin(apiKeys.rows.get(made.api_key_id)!, {
                  permissions: own.permissions,
                  end: Date.parse(own.expires_at!),
                });
                line.push(made.api_key_id);
              }
            } catch (error) {
              expect(['permission_escalation', 'not_found']).toContain((error as { code?: string }).code);
            }
          }
          for (const id of line) {
            const key = apiKeys.rows.get(id)!;
            expectWithin(key, ceiling);
            expect(key.pod_id).toBe('pod_1');
          }
          expect(apiKeys.rows.get(stranger.api_key_id)?.permissions).toEqual({ inbox_read: true });
        },
      ),
      { numRuns: 60 },
    );
  });

  function expectWithin(key: Credential, { permissions, end }: Ceiling): void {
    expect(within(key.permissions, permissions)).toBe(true);
    expect(Date.parse(key.expires_at!)).toBeLessThanOrEqual(end);
  }
});
