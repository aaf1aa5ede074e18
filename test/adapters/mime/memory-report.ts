/**
 * Prints what parsing a mail of 40 MB costs in memory: `node test/adapters/mime/memory-report.ts`. Measured with
 * Node 24 on two cores, at the peak and above a warm parser: an attachment of 40 MB 32 MB (0.5 s), two bodies of 20 MB
 * (cut at 10 MB each) 171 MB (0.6 s), one line of 40 MB 3 MB.
 */
import { createMailParser } from '../../../lib/adapters/mime.ts';
import { mailOf, repeated, streamed } from './mail-source.ts';

const MB = 1024 * 1024;
const mixed = mailOf('--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n', {
  'Content-Type': 'multipart/mixed; boundary=b',
});
const alternative = mailOf('--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n', {
  'Content-Type': 'multipart/alternative; boundary=b',
});
const htmlPart = Buffer.from('\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n');

const mails: Record<string, () => Iterable<Uint8Array>> = {
  'a small mail': () => [mailOf('hi')],
  'one attachment of 40 MB': () => repeated(mixed, `${'QUFB'.repeat(19)}\r\n`, 40 * MB),
  'text and HTML of 20 MB each': function* () {
    yield* repeated(alternative, 'Zażółć gęślą jaźń 漢字\r\n', 20 * MB);
    yield* repeated(htmlPart, '<p>Zażółć gęślą jaźń 漢字\r\n', 20 * MB);
  },
  'one line of 40 MB': () => repeated(mailOf(''), 'a', 40 * MB),
};

const parser = createMailParser();
let peak = 0;
const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
for (const [name, mail] of Object.entries(mails)) {
  const before = process.memoryUsage.rss();
  peak = before;
  const start = performance.now();
  await using file = await parser.parse(streamed(mail()));
  const ms = Math.round(performance.now() - start);
  const megabytes = Math.round((peak - before) / MB);
  console.log(
    `${name}: ${ms} ms, ${megabytes} MB above ${Math.round(before / MB)} MB`,
    file.mail.parse_error ?? '',
  );
}
clearInterval(sampler);
