import ipaddr from 'ipaddr.js';
import { Problem } from '../contract/problem.ts';

const refuse = (message: string): Problem =>
  new Problem('validation_error', message, {
    fix: 'Give an https URL of a public host.',
    errors: [{ code: 'custom', path: ['webhook', 'url'], message }],
  });

/** Names that by definition (RFC 6761, RFC 6762, ICANN's .internal) lead to no public host. */
const privateNames = /(^|\.)(localhost|local|internal|home\.arpa|onion)$/;

/**
 * Checks a webhook's URL by its form alone: https, no user, no address that is literally not public. Names are
 * not resolved here; the deliverer resolves and pins them at each delivery, since DNS can change in between.
 * The URL parser has already turned every spelling of an IPv4 address (octal, hex, one number) into the dotted one.
 */
export function checkWebhookUrl(given: string, allowLoopback: boolean): string {
  if (!URL.canParse(given)) throw refuse('webhook.url is not a URL');
  const url = new URL(given);
  const loopback = isLoopback(url.hostname);
  if (url.username !== '' || url.password !== '')
    throw refuse('webhook.url must not carry a user name or password');
  if (allowLoopback && loopback && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  if (url.protocol !== 'https:') throw refuse('webhook.url must begin with https://');
  const name = url.hostname.replace(/\.+$/, '');
  // A name without a dot is one of the local network, if of any.
  if (privateNames.test(name) || !/[.:]/.test(name))
    throw refuse(`webhook.url leads to ${url.hostname}, which is not public`);
  const address = literalAddress(url.hostname);
  if (address !== undefined && !isPublic(address))
    throw refuse(`webhook.url leads to ${url.hostname}, which is not public`);
  return url.href;
}

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

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || literalAddress(hostname)?.range() === 'loopback';
