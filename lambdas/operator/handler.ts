import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { ensureOperatorMailroom, organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { pageTokens } from '../../lib/adapters/dynamo/page-tokens.ts';
import { undeliverableStore } from '../../lib/adapters/dynamo/undeliverable-store.ts';
import { keys } from '../../lib/adapters/keys.ts';
import { newUlid as ulid } from '../../lib/adapters/ulids.ts';
import { listUndeliverable } from '../../lib/core/list-undeliverable.ts';
import {
  createOrganization,
  getOrganization,
  issueOrganizationKey,
  listOrganizations,
} from '../../lib/core/organizations.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { operatorCaller } from '../../lib/edge/operator-caller.ts';
import { env } from './env.ts';

const { TABLE_NAME, MAIL_DOMAIN } = readEnv(env);
const now = Date.now;
const database = openDatabase(TABLE_NAME);
const tokens = pageTokens(database);
const deps = {
  organizations: organizationStore(database),
  tokens,
  keys,
  now,
  ulid,
  ensureOperatorMailroom: ensureOperatorMailroom(database, MAIL_DOMAIN, now),
};

/** HTTP, IAM: what only the operator of the account may do. */
export const handler = httpDoor({
  authenticate: operatorCaller,
  useCases: {
    'operator.organizations.create': createOrganization(deps),
    'operator.organizations.list': listOrganizations(deps),
    'operator.organizations.get': getOrganization(deps),
    'operator.apiKeys.create': issueOrganizationKey(deps),
    'operator.undeliverable.list': listUndeliverable({
      undeliverable: undeliverableStore(database, now),
      tokens,
    }),
  },
});
