import type { Notice } from '../contract/notice.ts';
import { operatorAddresses } from '../contract/operator-address.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { UndeliverableReason } from '../contract/undeliverable.ts';
import { parseRecipient, type Recipient } from './address.ts';
import { deliverMail, type DeliverDeps } from './deliver-mail.ts';
import type { MailParser } from './mail.ts';
import type { UndeliverableStore } from './mail-ports.ts';
import type { EnsureOperatorMailroom, Holder, InboxStore } from './ports.ts';

export interface ReceiveDeps extends DeliverDeps {
  inboxes: Pick<InboxStore, 'holders' | 'resting'>;
  ensureOperatorMailroom: EnsureOperatorMailroom;
  undeliverable: UndeliverableStore;
  parser: MailParser;
  mailDomain: string;
}

/**
 * Takes one mail in: each inbox its envelope names gets its own copy, addresses without an inbox leave a row for
 * the operator, and the incoming object goes last. Every step may be repeated: what is done stays as it is.
 */
export const receiveMail =
  (deps: ReceiveDeps) =>
  async (notice: Notice): Promise<void> => {
    const recipients = notice.recipients.map(parseRecipient);
    const holders = await findHolders(deps, recipients);
    const raw = await deps.objects.openIncoming(notice.key);
    if (raw === undefined) return; // Taken in before: its object is removed last.
    await using parsed = await deps.parser.parse(raw);
    const lost = await withoutInbox(deps, notice, recipients, holders);
    for (const [inbox, addressed] of byInbox(notice, recipients, holders)) {
      const outcome = await deliverMail(deps, { notice, parsed, inbox, recipients: addressed });
      if (outcome === 'stored') continue;
      const reason = outcome === 'no_inbox' ? 'inbox_deleted' : 'storage_limit';
      for (const recipient of addressed) lost.set(recipient, reason);
    }
    if (lost.size > 0)
      await deps.undeliverable.note(
        [...lost].map(([recipient, reason]) => undeliverable(notice, recipient, reason, parsed.mail.subject)),
      );
    await deps.objects.removeIncoming(notice.key);
  };

async function findHolders(deps: ReceiveDeps, recipients: Recipient[]): Promise<Map<string, Holder>> {
  const addresses = [...new Set(recipients.map(({ address }) => address))];
  const holders = await deps.inboxes.holders(addresses);
  const operators = operatorAddresses(deps.mailDomain);
  if (!operators.some((address) => addresses.includes(address) && !holders.has(address))) return holders;
  await deps.ensureOperatorMailroom();
  return deps.inboxes.holders(addresses);
}

/**
 * The line between an address's inboxes: what SES took before the present one was made was meant for the one before,
 * whenever it comes through here.
 */
const isLate = ({ timestamp }: Notice, { since }: Holder): boolean =>
  since !== undefined && Date.parse(timestamp) < Date.parse(since);

/** Recipients whose mail nobody gets, and why. */
async function withoutInbox(
  { inboxes }: Pick<ReceiveDeps, 'inboxes'>,
  notice: Notice,
  recipients: Recipient[],
  holders: Map<string, Holder>,
): Promise<Map<Recipient, UndeliverableReason>> {
  const unknown = recipients.filter(({ address }) => !holders.has(address));
  const resting =
    unknown.length === 0
      ? new Set()
      : await inboxes.resting([...new Set(unknown.map(({ address }) => address))]);
  return new Map(
    recipients.flatMap((recipient): [Recipient, UndeliverableReason][] => {
      const holder = holders.get(recipient.address);
      if (holder === undefined)
        return [[recipient, resting.has(recipient.address) ? 'inbox_deleted' : 'no_such_address']];
      return isLate(notice, holder) ? [[recipient, 'arrived_before_inbox']] : [];
    }),
  );
}

function byInbox(
  notice: Notice,
  recipients: Recipient[],
  holders: Map<string, Holder>,
): [InboxRef, Recipient[]][] {
  const inboxes = new Map<string, [InboxRef, Recipient[]]>();
  for (const recipient of recipients) {
    const holder = holders.get(recipient.address);
    if (holder === undefined || isLate(notice, holder)) continue;
    const { since: _, ...inbox } = holder;
    const entry = inboxes.get(inbox.uid) ?? [inbox, []];
    entry[1].push(recipient);
    inboxes.set(inbox.uid, entry);
  }
  return [...inboxes.values()];
}

const undeliverable = (
  notice: Notice,
  { envelope }: Recipient,
  reason: UndeliverableReason,
  subject: string | undefined,
) => ({
  recipient: envelope,
  sender: notice.source,
  ...(subject !== undefined && { subject: subject.slice(0, 998) }),
  ses_message_id: notice.ses_id,
  spf: notice.verdicts.spf,
  dkim: notice.verdicts.dkim,
  dmarc: notice.verdicts.dmarc,
  reason,
  received_at: notice.timestamp,
});
