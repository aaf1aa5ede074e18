/** The name in any way Lambda takes it: a name, an ARN, an account-and-name; with or without `:$LATEST`. */
export function functionNameOf(reference: string): string {
  const parts = reference.split(':');
  const place = parts.indexOf('function');
  return (place >= 0 ? parts[place + 1] : parts[0]) ?? reference;
}
