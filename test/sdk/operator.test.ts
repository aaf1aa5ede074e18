import { describe, expect, it } from 'vitest';
import { routes, type RouteName } from '../../lib/contract/routes.ts';
import { createOperator } from '../../lib/sdk/operator.ts';
import { fakeOperator, origin } from './fake-mailroom.ts';

/** As if SigV4 had been checked. */
function setUp() {
  const { fetch: send, calls } = fakeOperator();
  const signed: typeof fetch = (input, init) =>
    send(input, {
      ...init,
      headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: 'AWS4-HMAC-SHA256 x' },
    });
  return { calls, send, operator: createOperator({ baseUrl: origin, fetch: signed }) };
}

describe('the operator’s client', () => {
  it('reaches every route of the operator by its name, through the real edge', async () => {
    const { operator, calls } = setUp();
    const { organizations, apiKeys, settings, audit, undeliverable } = operator;
    await organizations.create({ name: 'Acme' });
    await organizations.list({ limit: 2 });
    await organizations.get('org_1');
    await organizations.update('org_1', { access: 'production', inbox_limit: null });
    await organizations.suspend('org_1', { reason: 'unpaid' });
    await organizations.resume('org_1');
    await organizations.delete('org_1');
    await apiKeys.create('org_1', { type: 'generate' });
    await apiKeys.list('org_1', { type: 'bearer' });
    expect(await apiKeys.delete('org_1', 'key_1')).toBeUndefined();
    expect(await settings.get()).toEqual({ sending: 'on' });
    expect(await settings.update({ sending: 'paused' })).toEqual({ sending: 'paused' });
    await audit.list('org_1', { outcome: 'denied' });
    await audit.seals('org_1');
    expect(await audit.erase('org_1', { all: true })).toEqual({ erased: 0 });
    await undeliverable.list({ limit: 3 });

    const all = (Object.keys(routes) as RouteName[]).filter((name) => routes[name].auth === 'iam');
    expect(calls.map(({ name }) => name)).toEqual(all);
    const call = (name: RouteName): any => calls.find((one) => one.name === name)!.call;
    expect(call('operator.organizations.update')).toMatchObject({
      path: { organization_id: 'org_1' },
      body: { access: 'production', inbox_limit: null },
    });
    expect(call('operator.organizations.suspend').body).toEqual({ reason: 'unpaid' });
    expect(call('operator.apiKeys.list').query).toEqual({ type: 'bearer' });
    expect(call('operator.apiKeys.delete').path).toEqual({ organization_id: 'org_1', api_key_id: 'key_1' });
    expect(call('operator.audit.list').query).toEqual({ outcome: 'denied' });
    expect(call('operator.audit.erase').body).toEqual({ all: true });
  });

  it('walks its lists', async () => {
    const { operator } = setUp();
    const ids: string[] = [];
    for await (const { organization_id } of operator.organizations.all()) ids.push(organization_id);
    for await (const { api_key_id } of operator.apiKeys.all('org_1')) ids.push(api_key_id);
    expect(ids).toEqual(['org_1', 'key_1']);
  });

  it('is refused without its signature', async () => {
    const { send } = setUp();
    const stranger = createOperator({ baseUrl: origin, fetch: send, retries: 0 });
    await expect(stranger.organizations.list()).rejects.toMatchObject({
      code: 'missing_permission',
      status: 403,
    });
  });
});
