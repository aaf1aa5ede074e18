import { operatorAddresses } from '../contract/operator-address.ts';
import { operatorOrganizationId, type Organization } from '../contract/organization.ts';
import type { StoredInbox } from './ports.ts';

/** Rows of the postmaster's inbox hang on it. */
export const operatorInboxUid = 'inb_operator';

/** The rows that every mailroom has, whoever comes first to need them. */
export function operatorMailroom(
  mailDomain: string,
  created_at: string,
): { organization: Organization; inbox: StoredInbox; addresses: string[] } {
  const addresses = operatorAddresses(mailDomain);
  const [inbox_id] = addresses;
  const times = { updated_at: created_at, created_at };
  return {
    organization: {
      organization_id: operatorOrganizationId,
      name: 'Operator',
      verified: true,
      state: 'active',
      access: 'sandbox',
      bearer_keys: false,
      inbox_count: 1,
      domain_count: 0,
      ...times,
    },
    inbox: {
      uid: operatorInboxUid,
      organization_id: operatorOrganizationId,
      pod_id: operatorOrganizationId,
      inbox_id,
      email: inbox_id,
      display_name: 'Postmaster',
      ...times,
    },
    addresses,
  };
}
