import { operatorAudit } from './audit.ts';
import type { CreateApiKeyBody } from '../contract/api-key.ts';
import type { Body, Caller, Query } from './caller.ts';
import { createCaller } from './caller.ts';
import { items } from './pages.ts';
import { createTransport, type TransportOptions } from './transport.ts';

/** The operator's door. `fetch` has to sign with SigV4 for `execute-api`: what a key signs is refused here. */
export function createOperator(options: TransportOptions) {
  const call: Caller = createCaller(createTransport(options));
  const listOrganizations = (query: Query<'operator.organizations.list'> = {}) =>
    call('operator.organizations.list', { query });
  const listKeys = (organization_id: string, query: Query<'operator.apiKeys.list'> = {}) =>
    call('operator.apiKeys.list', { path: { organization_id }, query });
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
      /** null takes a limit away. */
      update: (organization_id: string, body: Body<'operator.organizations.update'>) =>
        call('operator.organizations.update', { path: { organization_id }, body }),
      /** Refuses every call of its keys; its mail keeps arriving. */
      suspend: (organization_id: string, body: Body<'operator.organizations.suspend'> = {}) =>
        call('operator.organizations.suspend', { path: { organization_id }, body }),
      resume: (organization_id: string) =>
        call('operator.organizations.resume', { path: { organization_id } }),
      /** With everything it has, for good. Its state is `deleting` until it is gone; its ledger stays. */
      delete: (organization_id: string) =>
        call('operator.organizations.delete', { path: { organization_id } }),
    },
    apiKeys: {
      create: (organization_id: string, body: CreateApiKeyBody) =>
        call('operator.apiKeys.create', { path: { organization_id }, body }),
      list: listKeys,
      all: (organization_id: string, query: Query<'operator.apiKeys.list'> = {}) =>
        items(
          (page: Query<'operator.apiKeys.list'>) => listKeys(organization_id, page),
          (page) => page.api_keys,
          query,
        ),
      delete: (organization_id: string, api_key_id: string) =>
        call('operator.apiKeys.delete', { path: { organization_id, api_key_id } }),
    },
    settings: {
      get: () => call('operator.settings.get'),
      update: (body: Body<'operator.settings.update'>) => call('operator.settings.update', { body }),
    },
    audit: operatorAudit(call),
    undeliverable: {
      list: listUndeliverable,
      all: (query: Query<'operator.undeliverable.list'> = {}) =>
        items(listUndeliverable, (page) => page.undeliverable, query),
    },
  };
}

export type Operator = ReturnType<typeof createOperator>;
