import { domainToASCII } from 'node:url';
import type { AddressObject, EmailAddress } from 'mailparser';
import { cleanLine } from './clean-text.ts';

/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets; some more for quoted local parts in the wild. */
const MAX_ADDRESS = 320;
const MAX_NAME = 500;
/** A mail of more authors than this has none. */
const MAX_AUTHORS = 20;

/** `Name <address>` or the bare address; groups are flattened, names without an address are left out. */
export function formatAddresses(header: AddressObject | AddressObject[] | undefined): string[] {
  return entries(header).flatMap((entry) => {
    const address = wireAddress(entry.address ?? '');
    if (address === undefined) return [];
    const name = cleanLine(entry.name ?? '', MAX_NAME);
    return [name === '' || name === address ? address : `${phrase(name)} <${address}>`];
  });
}

/**
 * The authors in one string. An author without an address is shown by name, quoted: a decoded name such as
 * `boss@example.com` must never read as an address.
 */
export function formatAuthors(header: AddressObject | AddressObject[] | undefined): string | undefined {
  const addresses = formatAddresses(header).slice(0, MAX_AUTHORS);
  if (addresses.length > 0) return addresses.join(', ');
  const names = entries(header).map((entry) => cleanLine(entry.name ?? '', MAX_NAME));
  const shown = names
    .filter((name) => name !== '')
    .slice(0, MAX_AUTHORS)
    .map(quote);
  return shown.length === 0 ? undefined : shown.join(', ');
}

function entries(header: AddressObject | AddressObject[] | undefined): EmailAddress[] {
  return [header ?? []].flat().flatMap((each) => each.value.flatMap(flatten));
}

function flatten(entry: EmailAddress): EmailAddress[] {
  return entry.group === undefined ? [entry] : entry.group.flatMap(flatten);
}

/**
 * With the domain in ASCII: the parser shows `xn--` labels as Unicode, in which `аpple.com` looks like `apple.com`,
 * and neither lists nor SES would match that spelling.
 */
function wireAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  if (at < 1 || address.length > MAX_ADDRESS || /[\p{Cc}\s<>]/u.test(address)) return undefined;
  const domain = address.slice(at + 1);
  const plain = /^[\x21-\x7e]+$/.test(domain);
  const ascii = plain ? domain : domainToASCII(domain);
  return ascii === '' ? undefined : `${address.slice(0, at)}@${ascii}`.toWellFormed();
}

/** RFC 5322 §3.2.4: a name with specials is quoted, or its comma would begin another address. */
function phrase(name: string): string {
  return /[()<>[\]:;@\\,"]/.test(name) ? quote(name) : name;
}

function quote(name: string): string {
  return `"${name.replace(/[\\"]/g, '\\$&')}"`;
}
