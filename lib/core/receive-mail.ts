import type { Notice } from '../contract/notice.ts';
import type { InboxRef } from '../contract/principal.ts';
import { operatorUsernames, parseRecipient, type Recipient } from './address.ts';
import { deliverMail, type DeliverDeps } from './deliver-mail.ts';
import type { MailParser } from './mail.ts';
import type { UndeliverableStore } from './mail-ports.ts';
import type { EnsureOperatorMailroom, InboxStore } from './ports.ts';

export interface ReceiveDeps extends DeliverDeps {
  inboxes: Pick<InboxStore, 'holders'>;
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
    const lost = recipients.filter(({ address }) => !holders.has(address));
    for (const [inbox, addressed] of byInbox(recipients, holders)) {
      const outcome = await deliverMail(deps, { notice, parsed, inbox, recipients: addressed });
      if (outcome === 'no_inbox') lost.push(...addressed);
    }
    if (lost.length > 0)
      await deps.undeliverable.note(
        lost.map((recipient) => undeliverable(notice, recipient, parsed.mail.subject)),
      );
    await deps.objects.removeIncoming(notice.key);
  };

async function findHolders(deps: ReceiveDeps, recipients: Recipient[]): Promise<Map<string, InboxRef>> {
  const addresses = [...new Set(recipients.map(({ address }) => address))];
  const holders = await deps.inboxes.holders(addresses);
  const forOperator = addresses.some((address) => {
    const [username = '', domain] = address.split('@');
    return domain === deps.mailDomain && operatorUsernames.has(username) && !holders.has(address);
  });
  if (!forOperator) return holders;
  await deps.ensureOperatorMailroom();
  return deps.inboxes.holders(addresses);
}

function byInbox(recipients: Recipient[], holders: Map<string, InboxRef>): [InboxRef, Recipient[]][] {
  const inboxes = new Map<string, [InboxRef, Recipient[]]>();
  for (const recipient of recipients) {
    const inbox = holders.get(recipient.address);
    if (inbox === undefined) continue;
    const entry = inboxes.get(inbox.uid) ?? [inbox, []];
    entry[1].push(recipient);
    inboxes.set(inbox.uid, entry);
  }
  return [...inboxes.values()];
}

const undeliverable = (notice: Notice, { envelope }: Recipient, subject: string | undefined) => ({
  recipient: envelope,
  sender: notice.source,
  ...(subject !== undefined && { subject: subject.slice(0, 998) }),
  ses_message_id: notice.ses_id,
  spf: notice.verdicts.spf,
  dkim: notice.verdicts.dkim,
  dmarc: notice.verdicts.dmarc,
  reason: 'no_such_address' as const,
  received_at: notice.timestamp,
});
