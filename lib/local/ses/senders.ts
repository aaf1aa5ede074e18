import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud } from '../cloud.ts';
import type { Identity, IdentityStore } from './identity-store.ts';
import type { Mailbox } from './mailbox.ts';

/** Everyone a mail names as its sender, and whom it goes to. */
export interface Senders {
  /** The From header. */
  from: Mailbox[];
  /** FromEmailAddress. */
  source: Mailbox | undefined;
  sender: Mailbox | undefined;
  /** Where bounces are to go: the Return-Path header. */
  feedback: Mailbox | undefined;
  recipients: string[];
}

interface Deps {
  cloud: Cloud;
  identities: IdentityStore;
}

/**
 * Asks IAM, for every identity the mail is sent as and for its configuration set, whether the caller may. Throws
 * AccessDenied; as on AWS before anything is said of the identities themselves.
 */
export function authorizeSend(
  { cloud, identities }: Deps,
  send: { caller: Caller; action: string; senders: Senders; configurationSet: string | undefined },
): void {
  const { caller, action, senders, configurationSet } = send;
  const arn = (resource: string) => `arn:aws:ses:${cloud.region}:${cloud.account}:${resource}`;
  const asked = new Set<string>();
  for (const from of named(senders)) {
    const context = contextOf(senders, from);
    const identity = identities.behind(from.address)[0]?.name ?? from.address;
    const resources = [`identity/${identity}`];
    if (configurationSet !== undefined) resources.push(`configuration-set/${configurationSet}`);
    for (const resource of resources.map(arn)) {
      const question = JSON.stringify([resource, context]);
      if (!asked.has(question)) cloud.authorize({ caller, action: `ses:${action}`, resource, context });
      asked.add(question);
    }
  }
}

/** Condition keys of SES's sending actions ("Actions, resources, and condition keys for Amazon SES v2"). */
const contextOf = (senders: Senders, from: Mailbox) => ({
  'ses:FromAddress': from.address,
  ...(from.name === '' ? {} : { 'ses:FromDisplayName': from.name }),
  ...(senders.feedback === undefined ? {} : { 'ses:FeedbackAddress': senders.feedback.address }),
  'ses:Recipients': senders.recipients,
});

/**
 * The identity the mail is sent as: the nearest verified one behind the From header. Throws MessageRejected unless
 * From, Source, Sender and Return-Path are verified, and MailFromDomainNotVerifiedException for an identity that
 * sends only with its own MAIL FROM domain when that does not work.
 */
export function verifiedIdentity({ cloud, identities }: Deps, senders: Senders): Identity {
  const verified = ({ address }: Mailbox) => identities.behind(address).find(identities.isVerified);
  const claimed = [...named(senders), senders.sender, senders.feedback].filter((one) => one !== undefined);
  const failed = new Set(claimed.filter((one) => verified(one) === undefined).map(({ text }) => text));
  const identity = verified(senders.from[0]!);
  if (failed.size > 0 || identity === undefined) {
    const where = `The following identities failed the check in region ${cloud.region.toUpperCase()}`;
    const list = [...failed].join(', ');
    throw new AwsError('MessageRejected', `Email address is not verified. ${where}: ${list}`);
  }
  if (identity.mailFrom?.onMxFailure === 'REJECT_MESSAGE' && !identities.mailFromWorks(identity)) {
    const message = `The MAIL FROM domain ${identity.mailFrom.domain} of ${identity.name} is not verified.`;
    throw new AwsError('MailFromDomainNotVerifiedException', message);
  }
  return identity;
}

const named = ({ from, source }: Senders): Mailbox[] => (source === undefined ? from : [...from, source]);
