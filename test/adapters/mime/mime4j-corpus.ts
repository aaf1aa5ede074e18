import { existsSync, readdirSync } from 'node:fs';
import type { Outline } from './mime4j-structure.ts';

/** Third-party mail beside the project; what is not there is reported as skipped. */
export const corpus = new URL('../../../../shared/corpus/', import.meta.url);

/** The mails of Mime4j: `<name>.msg`, and `<name>.xml` that says what each consists of. */
export const structures = ['mimetools-testmsgs', 'testmsgs'].flatMap((folder) => {
  const url = new URL(`mime4j/${folder}/`, corpus);
  return filesOf(url, '.msg').map((name) => ({ name: name.slice(0, -4), url }));
});

export function filesOf(folder: URL, ending: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(ending)) : [];
}

/** Where the library sees another structure than Mime4j, and why that is good enough. */
export const DIFFERENCES: Record<string, { why: string; seen: Partial<Outline> & { parse_error?: string } }> =
  {
    'multi-frag': {
      why: 'the inner closing boundary is damaged: the library keeps to the inner multipart and takes the rest as its text',
      seen: { text: true, attachments: ['image/gif', 'image/gif'] },
    },
    'multi-weirdspace': {
      why: 'blanks behind the boundary (transport padding, RFC 2046 §5.1.1) hide it from the library; the mail says so',
      seen: { text: false, attachments: [], parse_error: 'it says it has parts, but none could be found' },
    },
    'ending-boundaries': {
      why: 'text behind the boundary on its line: not RFC 2046; the mail says so',
      seen: { text: false, attachments: [], parse_error: 'it says it has parts, but none could be found' },
    },
    'malformedHeaderStartsBody-noheader': {
      why: 'text without any header or empty line: the library takes it for the header, as SMTP servers do',
      seen: { text: false, attachments: [] },
    },
  };

/** Multiparts without a part to read, also for Mime4j. */
export const EMPTY = new Set(['badbound', 'missing-boundary', 'multipartemptypart', 'multipartnopart']);
