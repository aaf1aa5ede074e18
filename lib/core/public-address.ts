import ipaddr from 'ipaddr.js';

/** Addresses of a name, IPv4 and IPv6, as DNS has them; none when there is no such name. */
export type Resolve = (name: string) => Promise<string[]>;

/** Where a webhook may be sent: `allowLoopback` on the local cloud only. */
export interface AddressRules {
  resolve: Resolve;
  allowLoopback: boolean;
}

/** Not an address the mailroom connects to; the message says why, in a few words. */
export class NotPublic extends Error {
  override name = 'NotPublic';
}

/**
 * The addresses of a host, each of them checked, IPv4 first: a function outside a VPC has no other way out. One that is
 * not public condemns the whole name: no honest name leads to both, and which one would be taken is up to the attacker.
 * Throws `NotPublic`, or what the resolver throws.
 */
export async function checkedAddresses(hostname: string, rules: AddressRules): Promise<string[]> {
  const name = hostname.replace(/^\[|\]$/g, '');
  const addresses = await addressesOf(name, rules);
  if (addresses.length === 0) throw new NotPublic('the name has no address');
  if (!addresses.every((address) => mayConnect(address, rules.allowLoopback)))
    throw new NotPublic('not a public address');
  return addresses.toSorted((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
}

async function addressesOf(name: string, { resolve, allowLoopback }: AddressRules): Promise<string[]> {
  // A literal in any spelling; the URL parser has made `0x7f.1` and `2130706433` into 127.0.0.1 before.
  if (ipaddr.isValid(name)) return [name];
  if (allowLoopback && name === 'localhost') return ['127.0.0.1', '::1'];
  return resolve(name);
}

/**
 * Whether an address is one anybody on the Internet can be reached at. Of IPv6 only 2000::/3 is given out (RFC 4291
 * §2.4), which leaves out mapped and translated IPv4 (::ffff:0:0/96, 64:ff9b::/96 and 64:ff9b:1::/48); the ranges in it
 * that carry an IPv4 address (6to4, Teredo) or belong to nobody are not `unicast`.
 */
export function isPublicAddress(text: string): boolean {
  // The four parts of dotted decimal only: older parsers read octal and short forms, each in its own way.
  if (!text.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(text)) return false;
  if (!ipaddr.isValid(text) || text.includes('%')) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || ((address as ipaddr.IPv6).parts[0]! & 0xe000) === 0x2000;
}

/** Whether a delivery may go to an address, as DNS answered it; what is no address is none. */
export const mayConnect = (address: string, allowLoopback: boolean): boolean =>
  isPublicAddress(address) || (allowLoopback && isLoopback(address));

/** 127.0.0.0/8 and ::1, also written as mapped. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'loopback';
}

/** One spelling of an address, so that the socket's can be compared. */
export const canonicalAddress = (text: string): string => ipaddr.process(text).toString();
