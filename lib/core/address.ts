import { Problem } from '../contract/problem.ts';

/** RFC 5321 §4.5.3.1: octets of a local part, and of a path without its brackets. */
const maxLocalPart = 64;
const maxAddress = 254;

/**
 * Names that belong to the domain, not to a user: RFC 2142's mailboxes, and those that mail systems answer
 * from or act upon. Ordinary words are free.
 */
export const reservedUsernames: ReadonlySet<string> = new Set([
  ...['info', 'marketing', 'sales', 'support', 'abuse', 'noc', 'security'],
  ...['postmaster', 'hostmaster', 'usenet', 'news', 'webmaster', 'www', 'uucp', 'ftp'],
  ...['mailer-daemon', 'mail-daemon', 'daemon', 'root', 'nobody', 'noreply', 'no-reply', 'bounce', 'bounces'],
  ...[
    'admin',
    'administrator',
    'listserv',
    'majordomo',
    'autoconfig',
    'autodiscover',
    'dmarc-reports',
    'tlsrpt',
    'canary',
  ],
]);

const refuse = (path: string, message: string, fix: string): Problem =>
  new Problem('validation_error', message, { fix, errors: [{ code: 'custom', path: [path], message }] });

/**
 * A username in the one spelling that is stored: lower case, letters, digits and `. _ -`. That is less than
 * RFC 5321 allows, so that an address stands in a path without encoding and reads the same everywhere.
 */
export function normalizeUsername(given: string): string {
  const username = given.trim().toLowerCase();
  if (username.includes('+'))
    throw refuse(
      'username',
      'username must not contain +',
      'Leave out + and what follows: mail to name+anything arrives at the inbox of name by itself.',
    );
  if (username.length > maxLocalPart)
    throw refuse(
      'username',
      `username must have at most ${maxLocalPart} characters`,
      'Choose a shorter username.',
    );
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(username))
    throw refuse(
      'username',
      'username may have a-z, 0-9, _, - and single dots between them',
      'Choose another username.',
    );
  if (reservedUsernames.has(username))
    throw refuse(
      'username',
      `username ${username} is reserved for the domain's operator (RFC 2142)`,
      'Choose another username.',
    );
  return username;
}

/** The address of a username; refused when it is longer than RFC 5321 lets a path be. */
export function addressOf(username: string, domain: string): string {
  const address = `${username}@${domain}`;
  if (address.length > maxAddress)
    throw refuse(
      'username',
      `the address must have at most ${maxAddress} characters`,
      'Choose a shorter username.',
    );
  return address;
}

/** An envelope recipient taken apart: the address of the inbox it means, and the tag behind `+`. */
export interface Recipient {
  /** As the envelope has it. */
  envelope: string;
  /** Lower case, without tag. */
  address: string;
  tag?: string;
}

/**
 * Reads one SMTP recipient. The local part is taken without regard to case, as everybody does (RFC 5321 §2.4
 * would let them differ); what follows the first `+` is its tag.
 */
export function parseRecipient(envelope: string): Recipient {
  const at = envelope.lastIndexOf('@');
  const local = unquote(envelope.slice(0, Math.max(at, 0)));
  const domain = envelope
    .slice(at + 1)
    .toLowerCase()
    .replace(/\.$/, '');
  const plus = local.indexOf('+');
  if (plus <= 0) return { envelope, address: `${local.toLowerCase()}@${domain}` };
  return { envelope, address: `${local.slice(0, plus).toLowerCase()}@${domain}`, tag: local.slice(plus + 1) };
}

/** `"name"@…` means the same mailbox as `name@…` (RFC 5321 §4.1.2). */
const unquote = (local: string): string =>
  /^".*"$/s.test(local) ? local.slice(1, -1).replace(/\\(.)/gs, '$1') : local;
