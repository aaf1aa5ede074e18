import ipaddr from 'ipaddr.js';
import { Problem } from '../contract/problem.ts';
import { isLoopback, isPublicAddress } from './public-address.ts';

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
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const loopback = host === 'localhost' || isLoopback(host);
  if (url.username !== '' || url.password !== '') throw refuse('must not carry a user name or password');
  if (allowLoopback && loopback && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  if (url.protocol !== 'https:') throw refuse('must begin with https://');
  const name = url.hostname.replace(/\.+$/, '');
  const literal = ipaddr.isValid(host);
  // A name without a dot is one of the local network, if of any.
  const hidden = privateNames.test(name) || !/[.:]/.test(name) || (literal && !isPublicAddress(host));
  if (hidden) throw refuse(`leads to ${url.hostname}, which is not public`);
  return url.href;
}
