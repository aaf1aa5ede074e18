import type { Body, Caller, Query } from './caller.ts';
import { createCaller } from './caller.ts';
import { items } from './pages.ts';
import { createTransport, type TransportOptions } from './transport.ts';

/** The operator's door. `fetch` has to sign with SigV4 for `execute-api`: what a key signs is refused here. */
export function createOperator(options: TransportOptions) {
  const call: Caller = createCaller(createTransport(options));
  const listOrganizations = (query: Query<'operator.organizations.list'> = {}) =>
    call('operator.organizations.list', { query });
  const listUndeliverable = (query: Query<'operator.undeliverable.list'> = {}) =>
    call('operator.undeliverable.list', { query });
  return {
    organizations: {
      create: (body: Body<'operator.organizations.create'> = {}) =>
        call('operator.organizations.create', { body }),
      list: listOrganizations,
      all: (query: Query<'operator.organizations.list'> = {}) =>
        items(listOrganizations, (page) => page.organizations, query),
      get: (organization_id: string) => call('operator.organizations.get', { path: { organization_id } }),
    },
    apiKeys: {
      create: (organization_id: string, body: Body<'operator.apiKeys.create'>) =>
        call('operator.apiKeys.create', { path: { organization_id }, body }),
    },
    undeliverable: {
      list: listUndeliverable,
      all: (query: Query<'operator.undeliverable.list'> = {}) =>
        items(listUndeliverable, (page) => page.undeliverable, query),
    },
  };
}

export type Operator = ReturnType<typeof createOperator>;
