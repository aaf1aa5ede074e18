import { composeMail } from './compose-mail.ts';
import { badRequest, type Mailbox, readMailbox } from './mailbox.ts';
import { mailboxesOf, type OutgoingMail, readOutgoing, valueOf } from './outgoing-mail.ts';
import { checkTagHeader, MOST_RECIPIENTS, type SendRequest } from './send-request.ts';
import type { Senders } from './senders.ts';

/** A mail to send, and everyone it names. */
export interface PreparedMail {
  mail: OutgoingMail;
  senders: Senders;
}

/** Composes or reads the mail of a request, and finds whom it is from and goes to. Throws BadRequestException. */
export async function prepareMail(request: SendRequest): Promise<PreparedMail> {
  const { Content, Destination = {}, FromEmailAddress } = request;
  const source = FromEmailAddress === undefined ? undefined : readMailbox(FromEmailAddress);
  const [to, cc, bcc] = [Destination.ToAddresses, Destination.CcAddresses, Destination.BccAddresses].map(
    (list) => (list ?? []).map(readMailbox),
  ) as [Mailbox[], Mailbox[], Mailbox[]];
  const replyTo = (request.ReplyToAddresses ?? []).map(readMailbox);
  let mail: OutgoingMail;
  if (Content.Simple !== undefined) {
    if (source === undefined) throw badRequest("Missing required header 'From'.");
    mail = readOutgoing(await composeMail({ from: source, to, cc, replyTo, content: Content.Simple }));
  } else {
    if (replyTo.length > 0) throw badRequest('ReplyToAddresses is not for Raw content: give it Reply-To.');
    mail = readOutgoing(Content.Raw!.Data);
  }
  checkNotes(mail);
  const stated = [...to, ...cc, ...bcc];
  const inHeaders = () => ['To', 'Cc', 'Bcc'].flatMap((name) => mailboxesOf(mail, name));
  const recipients = (stated.length > 0 ? stated : inHeaders()).map(({ address }) => address);
  if (recipients.length === 0) throw badRequest("Missing required header 'To'.");
  if (recipients.length > MOST_RECIPIENTS) throw badRequest(`Recipient count exceeds ${MOST_RECIPIENTS}.`);
  return { mail, senders: sendersOf(mail, source, recipients) };
}

function sendersOf(mail: OutgoingMail, source: Mailbox | undefined, recipients: string[]): Senders {
  const from = mailboxesOf(mail, 'From');
  if (from.length === 0) throw badRequest("Missing required header 'From'.");
  const [sender] = mailboxesOf(mail, 'Sender');
  const [feedback] = mailboxesOf(mail, 'Return-Path');
  return { from, source, sender, feedback, recipients };
}

/** What a message tells SES in headers of its own. */
function checkNotes(mail: OutgoingMail): void {
  const known = ['x-ses-configuration-set', 'x-ses-message-tags'];
  const other = mail.headers.find(({ name }) => /^x-ses-/i.test(name) && !known.includes(name.toLowerCase()));
  if (other !== undefined) throw badRequest(`The local SES does not support the header ${other.name}.`);
  const tags = valueOf(mail, 'X-SES-MESSAGE-TAGS');
  if (tags !== undefined) checkTagHeader(tags);
}
