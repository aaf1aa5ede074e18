/** Lower case and without the final dot, since DNS compares names without case (RFC 4343). The root is ''. */
export const canonicalName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Whether the name is the zone's apex or below it; both canonical. */
export const isWithin = (name: string, origin: string): boolean =>
  origin === '' || name === origin || name.endsWith(`.${origin}`);

/** The name without its first label; `undefined` above the root. */
export function parentName(name: string): string | undefined {
  if (name === '') return undefined;
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}

/** Whether the name can stand in a DNS packet: labels of 1 to 63 octets, 253 in all (RFC 1035 §2.3.4). */
export const isDomainName = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
