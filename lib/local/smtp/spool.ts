import { open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Refusal } from './refusal.ts';

/** Octets of a line without its end. RFC 5321 §4.5.3.1.6 asks for 1,000; mail in the wild needs more. */
export const LONGEST_LINE = 10_000;
/** Unstuffing dots cuts a mail into crumbs, which are gathered to this before they are written. */
const BLOCK = 64 * 1024;

/**
 * Writes a mail to a new file as it arrives, never holding more than a block. Reads the stream to its end in any case,
 * so that the refusal (a line too long, the size) can be answered; the file of a refused mail is removed.
 */
export async function spool(stream: Readable, file: string, limit: number): Promise<{ size: number }> {
  const handle = await open(file, 'wx', 0o600);
  const lines = new LineMeter();
  let size = 0;
  let block: Buffer[] = [];
  let blockSize = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      lines.update(chunk);
      if (size > limit || lines.longest > LONGEST_LINE) continue;
      block.push(chunk);
      blockSize += chunk.length;
      if (blockSize < BLOCK) continue;
      await handle.writev(block);
      [block, blockSize] = [[], 0];
    }
    if (blockSize > 0) await handle.writev(block);
    if (size > limit) throw new Refusal(552, `message exceeds fixed maximum message size ${limit}`);
    if (lines.longest > LONGEST_LINE) {
      throw new Refusal(554, `message has a line of more than ${LONGEST_LINE} characters; encode it`);
    }
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return { size };
}

class LineMeter {
  longest = 0;
  #current = 0;

  update(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const returned = (end > start ? chunk[end - 1] : undefined) === 13 ? 1 : 0;
      this.longest = Math.max(this.longest, this.#current + end - start - returned);
      this.#current = 0;
      start = end + 1;
    }
    this.#current += chunk.length - start;
    // A CR at the end of a chunk may yet turn out to be half of the line's end.
    this.longest = Math.max(this.longest, this.#current - (chunk.at(-1) === 13 ? 1 : 0));
  }
}
