import { canaryAddress } from '../contract/operator-address.ts';
import { operatorOrganizationId } from '../contract/organization.ts';
import { inboxEvent } from './inbox-event.ts';
import type { EnsureOperatorMailroom, InboxStore, NewUlid, Now, StoredInbox } from './ports.ts';
import { nextRetention } from './standing-work.ts';
import { systemDeed } from './system-deed.ts';

/** Days its mails are kept, for whoever asks what came when. */
const retention_days = 1;

/** Port: sends a mail; resolves when the mail system has taken it. */
export type SendMail = (mail: { from: string; to: string; subject: string; text: string }) => Promise<void>;

export interface SendCanaryDeps {
  inboxes: Pick<InboxStore, 'holders' | 'provision'>;
  ensureOperatorMailroom: EnsureOperatorMailroom;
  sendMail: SendMail;
  mailDomain: string;
  now: Now;
  ulid: NewUlid;
}

/** Says when it was sent, so that who hears of it knows how long it took. */
export const canarySubject = (sent: number): string => `Canary ${new Date(sent).toISOString()}`;

/** The deployment mails itself, in an inbox of the operator that is like any other and is made when it is not there. */
export const sendCanary = (deps: SendCanaryDeps) => async (): Promise<void> => {
  const address = canaryAddress(deps.mailDomain);
  const holder = (await deps.inboxes.holders([address])).get(address);
  if (holder === undefined) await provision(deps, address);
  else if (holder.organization_id !== operatorOrganizationId)
    throw new Error(`${address} is an inbox of ${holder.organization_id}: the canary writes to its own only`);
  await deps.sendMail({
    from: address,
    to: address,
    subject: canarySubject(deps.now()),
    text: 'This mail shows that mail goes out, comes in and is heard of. It is deleted after a day.\n',
  });
};

/** Whoever is second finds the address taken, by the first. */
async function provision(deps: SendCanaryDeps, address: string): Promise<void> {
  await deps.ensureOperatorMailroom();
  const now = deps.now();
  const created_at = new Date(now).toISOString();
  const inbox: StoredInbox = {
    uid: `inb_${deps.ulid()}`,
    organization_id: operatorOrganizationId,
    pod_id: operatorOrganizationId,
    inbox_id: address,
    email: address,
    display_name: 'Canary',
    retention_days,
    stored_bytes: 0,
    updated_at: created_at,
    created_at,
  };
  const { organization_id, pod_id, uid } = inbox;
  const outcome = await deps.inboxes.provision({
    inbox,
    event: inboxEvent('inbox.created', inbox, created_at, deps.ulid),
    due: [nextRetention(organization_id, uid, now)],
    deed: systemDeed(deps, { action: 'inboxes.create', organization_id, pod_id, inbox_uid: uid }),
  });
  const taken = typeof outcome === 'object' && 'taken_by' in outcome ? outcome.taken_by : undefined;
  const there = outcome === 'created' || taken === operatorOrganizationId;
  if (!there) throw new Error(`the canary cannot have its inbox: ${JSON.stringify(outcome)}`);
}
