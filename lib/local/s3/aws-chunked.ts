import { AwsError } from '../aws-error.ts';

/** What may stand between two chunks: a size, an extension with a signature, and trailers. */
const maxLine = 4096;

/**
 * Takes the aws-chunked framing off a body (`STREAMING-…` payloads, signed or not) and puts trailing headers into
 * `trailers`, lower case. Chunk signatures are read over: the request's own signature covers the headers only.
 * Throws IncompleteBody (400) when the framing ends early or is malformed.
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Uint8Array>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new ChunkReader(body);
  for (;;) {
    const size = chunkSize(await reader.line());
    if (size === 0) break;
    yield* reader.bytes(size);
    if ((await reader.line()) !== '') throw incomplete('a chunk is longer than it says');
  }
  for (;;) {
    const line = await reader.line(true);
    if (line === '') return;
    const colon = line.indexOf(':');
    if (colon < 1) throw incomplete('a trailer has no name');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

function chunkSize(line: string): number {
  const match = /^([0-9a-f]{1,8})(;.*)?$/i.exec(line);
  if (match === null) throw incomplete('a chunk has no size');
  return Number.parseInt(match[1]!, 16);
}

const incomplete = (why: string) =>
  new AwsError('IncompleteBody', `The aws-chunked body is not complete or not well formed: ${why}.`);

class ChunkReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** The text up to the next CRLF, without it; at the very end of the body an empty line where `mayEnd`. */
  async line(mayEnd = false): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\r\n');
      if (end >= 0) {
        const text = this.#held.toString('latin1', 0, end);
        this.#held = this.#held.subarray(end + 2);
        return text;
      }
      if (this.#held.length > maxLine) throw incomplete('a line between chunks is too long');
      if (this.#ended && mayEnd && this.#held.length === 0) return '';
      if (!(await this.#more())) {
        if (mayEnd && this.#held.length === 0) return '';
        throw incomplete('it ends early');
      }
    }
  }

  async *bytes(size: number): AsyncGenerator<Buffer> {
    let left = size;
    while (left > 0) {
      if (this.#held.length === 0 && !(await this.#more())) throw incomplete('it ends early');
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      if (part.length > 0) yield part;
    }
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#source.next();
    if (next.done === true) {
      this.#ended = true;
      return false;
    }
    this.#held = this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
