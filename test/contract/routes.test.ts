import { describe, expect, it } from 'vitest';
import { problems, Problem, problemBody } from '../../lib/contract/problem.ts';
import type { Route } from '../../lib/contract/route.ts';
import { routes } from '../../lib/contract/routes.ts';
import { covers, may, type Principal } from '../../lib/contract/principal.ts';

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
    for (const [name, { method, path, body, query, nonce }] of all) {
      expect([name, (method === 'GET' || method === 'DELETE') && body !== undefined]).toEqual([name, false]);
      expect([name, method !== 'GET' && query !== undefined]).toEqual([name, false]);
      expect([name, method === 'GET' && nonce !== undefined]).toEqual([name, false]);
      for (const segment of path.split('/')) expect(segment).toMatch(/^(|[a-z0-9-]+|\{[a-z_]+\})$/);
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
  const inbox = { uid: 'i', inbox_id: 'a@b', organization_id: 'o', pod_id: 'p' };
  const key: Principal = { kind: 'key', organization_id: 'o' };
  it('covers its organization, its pod or its inbox', () => {
    expect(covers(key, inbox)).toBe(true);
    expect(covers({ ...key, organization_id: 'x' }, inbox)).toBe(false);
    expect(covers({ kind: 'key' }, inbox)).toBe(false);
    expect([covers({ ...key, pod_id: 'p' }, inbox), covers({ ...key, pod_id: 'q' }, inbox)]).toEqual([
      true,
      false,
    ]);
    // By the uid: an address can be another inbox's tomorrow.
    expect([
      covers({ ...key, inbox: { uid: 'i', inbox_id: 'x' } }, inbox),
      covers({ ...key, inbox: { uid: 'j', inbox_id: 'a@b' } }, inbox),
    ]).toEqual([true, false]);
    expect(covers({ ...key, organization_id: 'x', inbox: { uid: 'i', inbox_id: 'a@b' } }, inbox)).toBe(false);
    expect(covers({ kind: 'operator' }, inbox)).toBe(true);
  });
  it('may do all without permissions, and what is true with them', () => {
    expect(may(key, 'inbox_read')).toBe(true);
    expect([
      may({ ...key, permissions: { inbox_read: true } }, 'inbox_read'),
      may({ ...key, permissions: { inbox_read: false } }, 'inbox_read'),
      may({ ...key, permissions: {} }, 'inbox_read'),
    ]).toEqual([true, false, false]);
  });
});
