import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { TRACE_BYTES, traceLength } from './ses-trace.ts';

/** What came of writing a raw mail to a file. */
export interface Spooled {
  digest: string;
  /** Bytes of the whole mail, also of what was not kept. */
  size: number;
}

/**
 * Writes the raw mail to `path`, at most `maxBytes` of it, and hashes all of it below SES's trace headers. Holds a
 * chunk and the trace headers in memory, never the mail. Throws what the source or the disk throws.
 */
export async function spool(
  raw: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number,
): Promise<Spooled> {
  const file = await open(path, 'wx', 0o600);
  const digest = new TraceBlindHash();
  let size = 0;
  try {
    for await (const chunk of raw) {
      digest.update(chunk);
      const room = maxBytes - size;
      if (room > 0) await writeAll(file, room < chunk.byteLength ? chunk.subarray(0, room) : chunk);
      size += chunk.byteLength;
    }
  } finally {
    await file.close();
  }
  return { digest: digest.hex(), size };
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength;) {
    const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at);
    at += bytesWritten;
  }
}

/** SHA-256 of everything below SES's trace headers. */
class TraceBlindHash {
  readonly #hash: Hash = createHash('sha256');
  #head: Uint8Array[] = [];
  #headBytes = 0;
  #started = false;

  update(chunk: Uint8Array): void {
    if (this.#started) {
      this.#hash.update(chunk);
      return;
    }
    // A source may reuse its buffer for the next chunk.
    this.#head.push(Buffer.from(chunk));
    this.#headBytes += chunk.byteLength;
    if (this.#headBytes >= TRACE_BYTES) this.#start();
  }

  hex(): string {
    if (!this.#started) this.#start();
    return this.#hash.digest('hex');
  }

  #start(): void {
    const head = Buffer.concat(this.#head);
    // Always judged on the same number of bytes, however the source cut its chunks.
    this.#hash.update(head.subarray(traceLength(head.subarray(0, TRACE_BYTES))));
    this.#started = true;
    this.#head = [];
  }
}
