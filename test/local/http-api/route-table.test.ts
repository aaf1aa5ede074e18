import { describe, expect, it } from 'vitest';
import { RouteTable } from '../../../lib/local/http-api/route-table.ts';

const keys = [
  '$default',
  'ANY /{proxy+}',
  'ANY /v0/{proxy+}',
  'GET /v0/{proxy+}',
  'ANY /v0/inboxes/{proxy+}',
  'GET /v0/inboxes/{id}',
  'ANY /v0/inboxes/batch',
  'GET /v0/{kind}/{id}',
];

describe('the route of a request', () => {
  const tables = [keys, [...keys].reverse()].map((order) => {
    const table = new RouteTable();
    for (const key of order) table.add({ key, iam: false, integrationId: 'i' });
    return table;
  });

  it.each([
    ['GET', '/v0/inboxes/batch', 'ANY /v0/inboxes/batch', {}],
    ['GET', '/v0/inboxes/a', 'GET /v0/inboxes/{id}', { id: 'a' }],
    ['POST', '/v0/inboxes/a', 'ANY /v0/inboxes/{proxy+}', { proxy: 'a' }],
    ['GET', '/v0/pods/a', 'GET /v0/{kind}/{id}', { kind: 'pods', id: 'a' }],
    ['GET', '/v0/inboxes/a/b', 'ANY /v0/inboxes/{proxy+}', { proxy: 'a/b' }],
    ['GET', '/v0/x', 'GET /v0/{proxy+}', { proxy: 'x' }],
    ['POST', '/v0/x', 'ANY /v0/{proxy+}', { proxy: 'x' }],
    ['GET', '/other', 'ANY /{proxy+}', { proxy: 'other' }],
    ['GET', '/', '$default', {}],
  ])('%s %s is the most specific', (method, path, key, parameters) => {
    for (const table of tables) {
      expect(table.find(method, path)).toEqual({ route: expect.objectContaining({ key }), parameters });
    }
  });
});
