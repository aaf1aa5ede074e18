import { describe, expect, it } from 'vitest';
import { isUnrestricted, may, type Principal } from '../../lib/contract/principal.ts';
import { problems, Problem, problemBody } from '../../lib/contract/problem.ts';
import { permissionNames } from '../../lib/contract/permission.ts';
import type { Route } from '../../lib/contract/route.ts';
import { routes } from '../../lib/contract/routes.ts';

const all = Object.entries(routes) as [string, Route][];

describe('the routes', () => {
  it('are each one method and path', () => {
    const shapes = all.map(([, { method, path }]) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
    expect(new Set(shapes).size).toBe(shapes.length);
  });
  it('are for the operator under /v0/operator and for keys elsewhere', () => {
    for (const [name, { path, auth, permission }] of all) {
      const operator = path.startsWith('/v0/operator/');
      expect([name, auth, permission === 'operator', name.startsWith('operator.')]).toEqual([
        name,
        operator ? 'iam' : 'signed',
        operator,
        operator,
      ]);
    }
  });
  it('take no body where there is none, and parameters are whole segments', () => {
    for (const [name, { method, path, body, query, ledger }] of all) {
      expect([name, (method === 'GET' || method === 'DELETE') && body !== undefined]).toEqual([name, false]);
      expect([name, method !== 'GET' && query !== undefined && !name.endsWith('inboxes.delete')]).toEqual([
        name,
        false,
      ]);
      // Only what changes something spends a nonce, and what changes something is never a GET.
      expect([name, method === 'GET' && ledger === 'change']).toEqual([name, false]);
      expect([name, ['PATCH', 'DELETE'].includes(method) && ledger !== 'change']).toEqual([name, false]);
      for (const segment of path.split('/')) expect(segment).toMatch(/^(|[a-z0-9-]+|\{[a-z_]+\})$/);
    }
  });
  it('leave a line of every change and every read of mail content', () => {
    const content = (name: string) => /messages|threads|archives|undeliverable/.test(name);
    for (const [name, { method, ledger }] of all) {
      const reads = method === 'GET' || name.endsWith('.batchGet');
      expect([name, ledger]).toEqual([name, !reads ? 'change' : content(name) ? 'read' : 'none']);
    }
  });
  it('ask for a permission there is, and need a scope only of keys', () => {
    const known = ['any', 'unrestricted', 'operator', ...permissionNames];
    for (const [name, { auth, permission, least, ledger, idempotent }] of all) {
      expect([name, known.includes(permission)]).toEqual([name, true]);
      expect([name, least !== undefined && auth !== 'signed']).toEqual([name, false]);
      expect([name, idempotent === true && ledger !== 'change']).toEqual([name, false]);
    }
  });
});

describe('a problem', () => {
  it('has a status and a name for each code', () => {
    for (const [code, { status, name }] of Object.entries(problems)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(name).toMatch(/Error$/);
      const problem = new Problem(code as keyof typeof problems, 'm');
      expect([problem.status, problem.name]).toEqual([status, name]);
      expect(problemBody.parse({ name, code, message: 'm', extra: 1 })).toEqual({ name, code, message: 'm' });
    }
  });
});

describe('a principal', () => {
  const key: Principal = { kind: 'key', scope: { organization_id: 'o' } };
  it('may do all without permissions, and what is true with them', () => {
    expect(may(key, 'inbox_read')).toBe(true);
    expect([
      may({ ...key, permissions: { inbox_read: true } }, 'inbox_read'),
      may({ ...key, permissions: { inbox_read: false } }, 'inbox_read'),
      may({ ...key, permissions: {} }, 'inbox_read'),
    ]).toEqual([true, false, false]);
  });
  it('is unrestricted with a key of the organization that has no permissions of its own', () => {
    const inbox = { uid: 'i', inbox_id: 'a@b', organization_id: 'o', pod_id: 'p' };
    expect(isUnrestricted(key)).toBe(true);
    expect([
      isUnrestricted({ ...key, permissions: {} }),
      isUnrestricted({ ...key, permissions: { api_key_create: true } }),
      isUnrestricted({ ...key, token_id: 'tok_1' }),
      isUnrestricted({ ...key, scope: { organization_id: 'o', pod_id: 'p' } }),
      isUnrestricted({ ...key, scope: { organization_id: 'o', inbox } }),
      isUnrestricted({ kind: 'operator' }),
    ]).toEqual([false, false, false, false, false, false]);
  });
});
