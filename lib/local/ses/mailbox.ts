import { AwsError } from '../aws-error.ts';
import { decodeWords } from './mail-header.ts';

/** An address as a sender wrote it. */
export interface Mailbox {
  /** With the display name, in one line. */
  text: string;
  address: string;
  /** The display name, decoded; '' where there is none. */
  name: string;
}

/** SES, as its quotas page says: an address has at most 320 characters. */
const LONGEST_ADDRESS = 320;

export const badRequest = (message: string) => new AwsError('BadRequestException', message);

/**
 * Reads one address, alone or with a display name. Throws BadRequestException as SES does, which speaks with the
 * words of JavaMail's InternetAddress; SES knows no SMTPUTF8 (SDK, Destination), so that everything is ASCII.
 */
export function readMailbox(written: string): Mailbox {
  // A line end would begin a header, or a command, of the sender's own.
  if (/[\0\r\n]/.test(written)) throw badRequest('Address contains control characters or a line end.');
  const text = written.trim();
  if (text === '') throw badRequest('Invalid email address .');
  const plain = text.replace(/\s*\([^()]*\)$/, '');
  const [, phrase, angled] = /^((?:"(?:[^"\\]|\\.)*"|[^"<>])*)<([^<>]*)>$/.exec(plain) ?? [];
  const address = angled ?? plain;
  checkAddress(address);
  return { text, address, name: displayName(text, phrase?.trim() ?? '') };
}

function displayName(text: string, phrase: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[^\x00-\x7f]/.test(text)) {
    throw badRequest('A display name has ASCII only: encode it as RFC 2047 says (=?UTF-8?B?...?=).');
  }
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(phrase)?.[1];
  if (quoted !== undefined) return decodeWords(quoted.replace(/\\(.)/g, '$1'));
  if (/["(),:;<>@[\\\]]/.test(phrase)) throw badRequest('Illegal address');
  return decodeWords(phrase);
}

function checkAddress(address: string): void {
  const at = address.lastIndexOf('@');
  if (at < 0) throw badRequest("Missing final '@domain'");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (address.length > LONGEST_ADDRESS) throw badRequest('Address length is more than 320 characters long');
  if (local === '') throw badRequest('Missing local name');
  if (domain === '') throw badRequest('Missing domain');
  checkLocal(local);
  if (/[^!-~]/.test(domain)) throw badRequest('Domain contains control or whitespace');
  if (/[^a-z0-9.-]/i.test(domain)) throw badRequest('Domain contains illegal character');
  if (/^\.|\.\.|\.$/.test(domain)) throw badRequest('Domain contains an empty label');
}

function checkLocal(local: string): void {
  if (/^"(?:[ !#-[\]-~]|\\[ -~])*"$/.test(local)) return;
  if (/[^!-~]/.test(local)) throw badRequest('Local address contains control or whitespace');
  if (/["(),:;<>@[\\\]]/.test(local)) throw badRequest('Local address contains illegal character');
  if (/^\.|\.\.|\.$/.test(local)) throw badRequest('Local address contains dot-dot');
}
