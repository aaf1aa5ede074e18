import type { StoredMessage } from '../core/mail-ports.ts';

/** What stands in the place of a sender that is none, such as the null sender of a delivery report. */
const nobody = 'MAILER-DAEMON';
/** Bytes of a mail that are looked at for its envelope sender. */
const headBytes = 1024;
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * One mail of an mbox file as RFC 4155 has it, in its mboxrd form: a `From ` line with the envelope sender and the time
 * of arrival in UTC, our own header lines, the mail, an empty line. Lines end in LF alone, as they do in such files on
 * a disk, and each that begins with `From `, behind any number of `>`, gets one `>` more, so that a reader can take it
 * away again. Nothing else of the mail changes: not a CR within a line, not a NUL. As much is held as one chunk.
 */
export async function* mboxEntry(
  message: StoredMessage,
  raw: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const lines = new QuotedLines();
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of raw) {
    if (head === undefined) {
      yield lines.take(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < headBytes) continue;
    yield opening(message, head);
    yield lines.take(head);
    head = undefined;
  }
  if (head !== undefined) {
    yield opening(message, head);
    yield lines.take(head);
  }
  yield lines.end();
}

function opening(message: StoredMessage, head: Buffer): Buffer {
  // SES writes it at the top; a mail that has none came some other way.
  const path = /^Return-Path:[ \t]*<([^>\r\n]*)>/i.exec(head.toString('latin1', 0, headBytes))?.[1];
  const sender = path === undefined ? (/<([^<>]*)>\s*$/.exec(message.from)?.[1] ?? message.from) : path;
  return Buffer.from(
    [
      `From ${/^[\x21-\x7e]+$/.test(sender) ? sender : nobody} ${asctime(message.timestamp)}`,
      `X-Posthorn-Labels: ${message.labels.toSorted().map(encoded).join(',\n ')}`,
      `X-Posthorn-Thread-Id: ${message.thread_id}`,
      // The last of them: a mail that began with a space would go on with it.
      `X-Posthorn-Message-Id: ${message.message_id}`,
      '',
    ].join('\n'),
  );
}

/** A label could hold anything, also a line end and a line of its own making. */
const encoded = (label: string): string =>
  label.replace(/[^\x21-\x24\x26-\x2b\x2d-\x7e]/gu, (char) =>
    Buffer.from(char).toString('hex').toUpperCase().replace(/../g, '%$&'),
  );

/** As C's `asctime` writes it: `Sat Jan  3 09:05:00 2026`. */
function asctime(iso: string): string {
  const time = new Date(iso);
  const [, clock] = /T(\d\d:\d\d:\d\d)/.exec(time.toISOString())!;
  const day = String(time.getUTCDate()).padStart(2, ' ');
  return `${weekdays[time.getUTCDay()]} ${months[time.getUTCMonth()]} ${day} ${clock} ${time.getUTCFullYear()}`;
}

const [lf, cr, gt] = [0x0a, 0x0d, 0x3e];
const from = Buffer.from('From ');
/** In the middle of a line, where nothing is to be quoted. */
const inside = -1;

/** Turns CRLF into LF and quotes `From ` lines, whatever the chunks. */
class QuotedLines {
  /** At the beginning of a line, behind any `>`: how much of `From ` has come. That is held back. */
  #matched = 0;
  /** A CR that may be half of a CRLF is held back. */
  #cr = false;
  #last = lf;

  take(chunk: Uint8Array): Buffer {
    // The shortest line that is quoted has six bytes; what was held back is five bytes and a CR.
    const out = Buffer.allocUnsafe(chunk.length + Math.ceil(chunk.length / 5) + from.length + 8);
    let at = 0;
    for (let n = 0; n < chunk.length; n++) {
      const byte = chunk[n]!;
      if (this.#cr && byte !== lf) {
        at = this.#release(out, at);
        out[at++] = cr;
      }
      this.#cr = byte === cr;
      if (this.#cr) continue;
      if (this.#matched !== inside && byte === from[this.#matched]) {
        if (++this.#matched < from.length) continue;
        out[at++] = gt;
        at = this.#release(out, at);
      } else if (this.#matched !== 0 || byte !== gt) {
        at = this.#release(out, at);
        out[at++] = byte;
        if (byte === lf) this.#matched = 0;
      } else out[at++] = byte;
    }
    if (at > 0) this.#last = out[at - 1]!;
    return out.subarray(0, at);
  }

  /** What was held back, the line end that the last line may lack, and the empty line. */
  end(): Buffer {
    const out = Buffer.alloc(from.length + 3);
    let at = this.#release(out, 0);
    if (this.#cr) out[at++] = cr;
    if ((at > 0 ? out[at - 1] : this.#last) !== lf) out[at++] = lf;
    out[at++] = lf;
    return out.subarray(0, at);
  }

  /** Writes what was held back of `From `; the line is no beginning any more. */
  #release(out: Buffer, at: number): number {
    const held = Math.max(this.#matched, 0);
    from.copy(out, at, 0, held);
    this.#matched = inside;
    return at + held;
  }
}
