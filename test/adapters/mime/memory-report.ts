/**
 * Prints what parsing a mail of 40 MB costs in memory: `node test/adapters/mime/memory-report.ts`. Measured with
 * Node 24 on two cores, at the peak: this process stays at 79 MB for one attachment of 40 MB and reaches 108 MB for
 * two bodies of 20 MB (cut at 4 MB each); the parsing process has 105 MB when warm, 129 MB and 191 MB then.
 */
import { readFileSync } from 'node:fs';
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

/** Resident bytes of this process and of the one it parses in (Linux). */
function resident(): { own: number; parsing: number } {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  const pages = children.map((pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]));
  return { own: process.memoryUsage.rss(), parsing: 4096 * pages.reduce((sum, each) => sum + each, 0) };
}

const parser = createMailParser();
const peak = { own: 0, parsing: 0 };
const sample = (): void => {
  const { own, parsing } = resident();
  peak.own = Math.max(peak.own, own);
  peak.parsing = Math.max(peak.parsing, parsing);
};
const sampler = setInterval(sample, 5);
for (const [name, mail] of Object.entries(mails)) {
  Object.assign(peak, { own: 0, parsing: 0 });
  const before = resident();
  const start = performance.now();
  await using file = await parser.parse(streamed(mail()));
  const ms = Math.round(performance.now() - start);
  sample();
  const [own, parsing] = [peak.own / MB, peak.parsing / MB].map(Math.round);
  const from = `${Math.round(before.own / MB)} + ${Math.round(before.parsing / MB)}`;
  console.log(`${name}: ${ms} ms, peak ${own} MB here + ${parsing} MB parsing, from ${from}.`);
  if (file.mail.parse_error !== undefined) console.log(`  ${file.mail.parse_error}`);
}
clearInterval(sampler);
