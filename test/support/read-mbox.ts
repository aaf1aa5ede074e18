/** A mail out of an mbox file, as it was before it went in; only line ends are LF. */
export interface MboxMail {
  sender: string;
  /** ISO 8601, to the second. */
  time: string;
  message_id: string;
  labels: string[];
  mail: Buffer;
}

/** JavaScript's own `^` also stands behind a CR. */
export const quoted = /(?<=^|\n)>(>*From )/g;

/** The file with LF where CRLF was, and a line end at its end, which is all that an mbox file changes for good. */
export function withLf(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replaceAll('\r\n', '\n');
  return Buffer.from(text === '' || text.endsWith('\n') ? text : `${text}\n`, 'latin1');
}

/** Reads mboxrd by its rules alone: a mail ends before a line `From ` that follows an empty one, or at the end. */
export function readMbox(file: Buffer): MboxMail[] {
  if (file.length === 0) return [];
  const text = file.toString('latin1');
  if (!text.startsWith('From ') || !text.endsWith('\n\n')) throw new Error('not an mbox file');
  return text
    .slice(0, -1)
    .split(/\n(?=From )/)
    .map((entry, n, all) => {
      // The empty line before the next mail belongs to the file.
      const whole = n < all.length - 1 ? `${entry}\n` : entry;
      const lines =
        /^From (\S+) (.{24})\n(X-Posthorn-Labels: .*\n(?: .*\n)*X-Posthorn-Thread-Id: .*\nX-Posthorn-Message-Id: .*\n)/.exec(
          whole,
        );
      if (lines === null) throw new Error(`not the beginning of a mail: ${whole.slice(0, 80)}`);
      const [opening, sender, time, own] = lines;
      const body = whole.slice(opening.length);
      if (n < all.length - 1 && !entry.endsWith('\n')) throw new Error('no empty line between two mails');
      return {
        sender: sender!,
        time: new Date(`${time} UTC`).toISOString(),
        message_id: /Message-Id: (\S+)/.exec(own!)![1]!,
        labels: decodeURIComponent(/Labels: ((?:.*\n(?: .*\n)*))/.exec(own!)![1]!)
          .split(',')
          .map((label) => label.trim()),
        mail: Buffer.from((n < all.length - 1 ? body.slice(0, -1) : body).replace(quoted, '$1'), 'latin1'),
      };
    });
}
