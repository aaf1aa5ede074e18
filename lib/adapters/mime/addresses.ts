import { domainToASCII } from 'node:url';
import type { AddressObject, EmailAddress } from 'mailparser';
import { cleanLine } from './clean-text.ts';

/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets; some more for quoted local parts in the wild. */
const MAX_ADDRESS = 320;
const MAX_NAME = 500;

/**
 * `Name <address>` or the bare address; groups are flattened. A name alone is given quoted, so that a decoded name
 * such as `boss@example.com` never reads as an address.
 */
export function formatAddresses(header: AddressObject | AddressObject[] | undefined): string[] {
  return [header ?? []].flat().flatMap((each) => each.value.flatMap(formatOne));
}

function formatOne(entry: EmailAddress): string[] {
  if (entry.group !== undefined) return entry.group.flatMap(formatOne);
  const name = cleanLine(entry.name ?? '', MAX_NAME);
  const address = wireAddress(entry.address ?? '');
  if (address === undefined) return name === '' ? [] : [quote(name)];
  return [name === '' || name === address ? address : `${phrase(name)} <${address}>`];
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
