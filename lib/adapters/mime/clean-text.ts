/**
 * A string that JSON, DynamoDB and XML all take: lone surrogates become U+FFFD (UTF-8 cannot encode them), NUL goes
 * (it ends strings in C, and what is behind it hides from scanners).
 */
export function cleanText(text: string): string {
  const whole = text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '') : whole;
}

/** One line for a field that is shown or compared: control characters become blanks, white space folds, bounded. */
export function cleanLine(text: string, maxLength: number): string {
  // Cut first: the rest is work an attacker chooses the amount of.
  const line = text.slice(0, maxLength * 2).replace(/[\p{Cc}\s\u2028\u2029]+/gu, ' ');
  return line.trim().slice(0, maxLength).toWellFormed();
}

/** Bytes as header text: UTF-8 where it is valid (RFC 6532), otherwise Latin-1, which old mail programs send bare. */
export function headerText(binary: string): string {
  const utf8 = Buffer.from(binary, 'latin1').toString('utf8');
  return utf8.includes('\uFFFD') ? binary : utf8;
}
