import ipaddr from 'ipaddr.js';
import { Problem } from '../contract/problem.ts';

/** Names that by definition (RFC 6761, RFC 6762, ICANN's .internal) lead to no public host. */
const privateNames = /(^|\.)(localhost|local|internal|home\.arpa|onion)$/;

/**
 * Checks a webhook's URL by its form alone: https, no user, no address that is literally not public. Names are
 * not resolved here; the deliverer resolves and pins them at each delivery, since DNS can change in between.
 * The URL parser has already turned every spelling of an IPv4 address (octal, hex, one number) into the dotted one.
 * `path` is where the URL stands in the body.
 */
export function checkWebhookUrl(given: string, allowLoopback: boolean, path = ['webhook', 'url']): string {
  const refuse = (what: string): Problem => {
    const message = `${path.join('.')} ${what}`;
    return new Problem('validation_error', message, {
      fix: 'Give an https URL of a public host.',
      errors: [{ code: 'custom', path, message }],
    });
  };
  if (!URL.canParse(given)) throw refuse('is not a URL');
  const url = new URL(given);
  const loopback = isLoopback(url.hostname);
  if (url.username !== '' || url.password !== '') throw refuse('must not carry a user name or password');
  if (allowLoopback && loopback && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  if (url.protocol !== 'https:') throw refuse('must begin with https://');
  const name = url.hostname.replace(/\.+$/, '');
  const address = literalAddress(url.hostname);
  // A name without a dot is one of the local network, if of any.
  const hidden = privateNames.test(name) || !/[.:]/.test(name) || (address && !isPublic(address));
  if (hidden) throw refuse(`leads to ${url.hostname}, which is not public`);
  return url.href;
}

/**
 * Whether a delivery may connect to an IP address, as DNS answered it. `allowLoopback`: also to this machine itself,
 * which the local cloud alone says. What is no address is none.
 */
export function mayConnect(address: string, allowLoopback: boolean): boolean {
  const parsed = literalAddress(address);
  if (parsed === undefined) return false;
  return isPublic(parsed) || (allowLoopback && parsed.range() === 'loopback');
}

/** An address in one form: an IPv4 one that is mapped into IPv6 is the IPv4 one. */
const literalAddress = (hostname: string) => {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
};

/**
 * `unicast` leaves out private, loopback, link-local, CGNAT, ULA, multicast, documentation and 6to4 or NAT64 ranges;
 * of IPv6 only 2000::/3 is given out (RFC 4291 §2.4), which also rules out the old `::10.0.0.1`.
 */
const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.range() === 'unicast' && ('octets' in address || address.parts[0]! >> 13 === 1);

/** Whether a host is this machine by its name or its address. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || literalAddress(hostname)?.range() === 'loopback';
