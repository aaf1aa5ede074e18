import { apiKeyStore } from '../../lib/adapters/dynamo/api-key-store.ts';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { settleDeed } from '../../lib/adapters/dynamo/deed.ts';
import { lineStore } from '../../lib/adapters/dynamo/line-store.ts';
import { ensureOperatorMailroom, organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { pageTokens } from '../../lib/adapters/dynamo/page-tokens.ts';
import { commitments, personStore } from '../../lib/adapters/dynamo/person-store.ts';
import { sealStore } from '../../lib/adapters/dynamo/seal-store.ts';
import { settingsStore } from '../../lib/adapters/dynamo/settings-store.ts';
import { undeliverableStore } from '../../lib/adapters/dynamo/undeliverable-store.ts';
import { keys } from '../../lib/adapters/keys.ts';
import { newUlid as ulid } from '../../lib/adapters/ulids.ts';
import {
  issueOrganizationKey,
  listOrganizationKeys,
  revokeOrganizationKey,
} from '../../lib/core/api-keys.ts';
import { deleteOrganization } from '../../lib/core/delete-organization.ts';
import { erasePersonal } from '../../lib/core/erase-personal.ts';
import { listOrganizationLines, listOrganizationSeals } from '../../lib/core/list-lines.ts';
import { listUndeliverable } from '../../lib/core/list-undeliverable.ts';
import {
  createOrganization,
  getOrganization,
  listOrganizations,
  resumeOrganization,
  suspendOrganization,
  updateOrganization,
} from '../../lib/core/organizations.ts';
import { getSettings, updateSettings } from '../../lib/core/settings.ts';
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
  apiKeys: apiKeyStore(database),
  settings: settingsStore(database),
  tokens,
  keys,
  now,
  ulid,
  ensureOperatorMailroom: ensureOperatorMailroom(database, MAIL_DOMAIN, now),
};

const ledger = {
  lines: lineStore(database),
  persons: personStore(database),
  seals: sealStore(database),
  ...deps,
};

/** HTTP, IAM: what only the operator of the account may do. */
export const handler = httpDoor({
  authenticate: operatorCaller,
  deeds: { settle: settleDeed(database), commit: commitments(database, { now }) },
  ulid,
  useCases: {
    'operator.organizations.create': createOrganization(deps),
    'operator.organizations.list': listOrganizations(deps),
    'operator.organizations.get': getOrganization(deps),
    'operator.organizations.update': updateOrganization(deps),
    'operator.organizations.suspend': suspendOrganization(deps),
    'operator.organizations.resume': resumeOrganization(deps),
    'operator.organizations.delete': deleteOrganization(deps),
    'operator.apiKeys.create': issueOrganizationKey(deps),
    'operator.apiKeys.list': listOrganizationKeys(deps),
    'operator.apiKeys.delete': revokeOrganizationKey(deps),
    'operator.settings.get': getSettings(deps),
    'operator.settings.update': updateSettings(deps),
    'operator.audit.list': listOrganizationLines(ledger),
    'operator.audit.seals': listOrganizationSeals(ledger),
    'operator.audit.erase': erasePersonal(ledger),
    'operator.undeliverable.list': listUndeliverable({
      undeliverable: undeliverableStore(database, now),
      tokens,
    }),
  },
});
