import { describe, expect, it } from 'vitest';
import { ContentScan } from '../../../lib/local/ses/content-scan.ts';

const EICAR = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*';
const GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*' + 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';

function scan(mail: string, chunk = mail.length): { spam: boolean; virus: boolean } {
  const scanner = new ContentScan();
  const bytes = Buffer.from(mail, 'latin1');
  for (let at = 0; at < bytes.length; at += chunk) scanner.update(bytes.subarray(at, at + chunk));
  scanner.end();
  return { spam: scanner.spam, virus: scanner.virus };
}

const folded = (text: string) =>
  Buffer.from(text, 'latin1')
    .toString('base64')
    .replace(/.{1,17}/g, '$&\r\n');
const part = (encoding: string, body: string, type = 'application/octet-stream') =>
  [
    'From: a@b',
    'Content-Type: multipart/mixed;\r\n\tboundary="the one"',
    '',
    'preamble',
    '--the one',
    `Content-Type: ${type}`,
    `Content-Transfer-Encoding:\r\n ${encoding}`,
    '',
    body,
    '--the one--',
    '',
  ].join('\r\n');

describe('the test strings are found', () => {
  it.each([
    ['in plain text', `Subject: x\r\n\r\n${GTUBE}\r\n`, 'spam'],
    ['in a base64 part', part('base64', folded(`${'z'.repeat(100)}${EICAR}`)), 'virus'],
    [
      'in a large base64 part',
      part('BASE64', folded('z'.repeat(150_001) + EICAR + 'z'.repeat(90_000))),
      'virus',
    ],
    ['in a quoted-printable part', part('quoted-printable', EICAR.replace('EICAR', '=45IC=\r\nAR')), 'virus'],
    ['in a base64 body without parts', `Content-Transfer-Encoding: base64\r\n\r\n${folded(GTUBE)}`, 'spam'],
    [
      'in a message within',
      part('7bit', part('base64', folded(EICAR)).replaceAll('the one', 'inner'), 'message/rfc822'),
      'virus',
    ],
    ['with bare line feeds', part('base64', folded(EICAR)).replaceAll('\r\n', '\n'), 'virus'],
  ])('%s, however the bytes arrive', (_, mail, kind) => {
    const expected = { spam: kind === 'spam', virus: kind === 'virus' };
    expect(scan(mail)).toEqual(expected);
    for (const chunk of mail.length > 10_000 ? [997] : [1, 2, 3, 7, 64])
      expect(scan(mail, chunk)).toEqual(expected);
  });

  it('and nothing else is', () => {
    expect(scan(part('base64', folded('harmless')))).toEqual({ spam: false, virus: false });
    // Base64 that nobody would decode: it is text of a text part.
    expect(scan(part('7bit', folded(EICAR)))).toEqual({ spam: false, virus: false });
  });

  it('in time and room that do not grow with the nonsense', () => {
    const boundaries = Array.from(
      { length: 3_000 },
      (_, at) => `Content-Type: message/rfc822; boundary=b${at}\r\n\r\n`,
    ).join('');
    expect(scan(`${boundaries}${EICAR}`)).toEqual({ spam: false, virus: true });
    expect(scan(`Content-Type: x${' '.repeat(200_000)}y\r\n\r\n${'='.repeat(200_000)}${GTUBE}`)).toEqual({
      spam: true,
      virus: false,
    });
  });
});
