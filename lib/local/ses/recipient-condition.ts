/** What stands after the last @, in lower case. */
export const domainOf = (address: string): string =>
  address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/**
 * Whether a recipient meets a receipt rule's condition: `example.com` is that domain alone, `.example.com` its
 * subdomains alone, an address also its `+label` forms unless it has a label itself.
 */
export function meetsCondition(condition: string, address: string): boolean {
  const wanted = condition.toLowerCase();
  const recipient = address.toLowerCase();
  if (!wanted.includes('@')) {
    const domain = domainOf(recipient);
    return wanted.startsWith('.')
      ? domain.endsWith(wanted) && domain.length > wanted.length
      : domain === wanted;
  }
  if (wanted === recipient) return true;
  const [local, domain] = [recipient.slice(0, recipient.lastIndexOf('@')), domainOf(recipient)];
  return !wanted.includes('+') && wanted === `${local.split('+', 1)[0]}@${domain}`;
}
