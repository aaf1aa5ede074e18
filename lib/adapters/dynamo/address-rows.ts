import type { InboxRef } from '../../contract/principal.ts';
import type { Holder, StoredInbox, Takedown } from '../../core/ports.ts';
import { rowVersion, type Row } from './client.ts';
import { addressKey } from './keys.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

/**
 * How long it is known that an address had another inbox, however short its quarantine: SQS keeps a notice of mail for
 * 14 days, and the bucket what nobody took in for 30 as a rule.
 */
const rememberedSeconds = 31 * 24 * 3600;

/** An address row as the edge and the receiver read it. */
export const toRef = ({ uid, inbox_id, organization_id, pod_id }: Row): InboxRef => ({
  uid,
  inbox_id,
  organization_id,
  pod_id,
});

/** Who holds an address; nobody does while it rests. */
export const holderOf = (row: Row | undefined): Holder | undefined =>
  row?.['uid'] === undefined
    ? undefined
    : { ...toRef(row), ...(row['deleted_at'] !== undefined && { since: row['since'] as string }) };

const attributesOf = ({ organization_id, pod_id, uid, inbox_id, created_at }: StoredInbox) => ({
  ...{ organization_id, pod_id, uid, inbox_id },
  since: created_at,
});

/** The row an address leads to. */
export const addressRow = (address: string, inbox: StoredInbox): Row => ({
  ...addressKey(address),
  v: rowVersion,
  ...attributesOf(inbox),
});

/**
 * Claims an address: nobody has it, and nobody else had it within its quarantine. `deleted_at` of the inbox before
 * stays in the row, so that the receiver knows of it.
 */
export function addressClaim<Word extends string>(inbox: StoredInbox, otherwise: Word): Write<Word> {
  const values = { v: rowVersion, ...attributesOf(inbox) };
  const names = Object.keys(values);
  return {
    update: addressKey(inbox.inbox_id),
    set: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')} REMOVE #state, #until, #expires`,
    condition:
      'attribute_not_exists(pk) OR (#state = :quarantined AND (#organization_id = :organization_id OR #until <= :since))',
    names: {
      ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
      '#state': 'state',
      '#until': 'until',
      '#expires': table.ttl,
    },
    values: {
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
      ':quarantined': 'quarantined',
    },
    otherwise,
  };
}

/** Lets an address rest: it leads nowhere, and until the end of the quarantine only its organization may claim it. */
export function quarantineWrite<Word extends string>(
  { inbox, at, until }: Pick<Takedown, 'inbox' | 'at' | 'until'>,
  otherwise: Word,
): Write<Word> {
  const { organization_id, uid, inbox_id } = inbox;
  const [end, deleted] = [until, at].map((time) => Math.ceil(Date.parse(time) / 1000)) as [number, number];
  return {
    put: {
      ...addressKey(inbox_id),
      v: rowVersion,
      ...{ state: 'quarantined', organization_id, deleted_at: at, until },
      [table.ttl]: Math.max(end, deleted + rememberedSeconds),
    },
    condition: 'uid = :uid',
    values: { ':uid': uid },
    otherwise,
  };
}
