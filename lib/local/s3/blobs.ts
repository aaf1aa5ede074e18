import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { runningChecksum } from './checksums.ts';
import type { ChecksumAlgorithm } from './checksums.ts';

/** Smaller reads than this cost less in one call than as a stream. */
const atOnce = 256 * 1024;

/** Bytes on their way in: written, flushed as asked, and not yet anyone's. */
export interface Received {
  blob: string;
  size: number;
  /** Hexadecimal. */
  md5: string;
  sha256: string;
  /** Base64, one for each algorithm asked for. */
  checksums: Map<ChecksumAlgorithm, string>;
}

/**
 * The bytes of objects, each under a random name in `<folder>/blobs`; the database says which key has which. What is
 * still coming in lies in `<folder>/incoming`: a committed row and then the rename make it an object, so after a
 * crash `settle` knows from the row which side of the commit a file was on.
 */
export class Blobs {
  readonly #incoming: string;
  readonly #stored: string;
  readonly #durable: boolean;

  constructor(folder: string, durable: boolean) {
    this.#incoming = join(folder, 'incoming');
    this.#stored = join(folder, 'blobs');
    this.#durable = durable;
    mkdirSync(this.#incoming, { recursive: true });
    mkdirSync(this.#stored, { recursive: true });
  }

  /** Finishes what a crash left: incoming files with a row become objects, the others go. */
  settle(isKnown: (blob: string) => boolean): void {
    for (const name of readdirSync(this.#incoming)) {
      if (isKnown(name)) this.keep(name);
      else rmSync(join(this.#incoming, name), { force: true });
    }
  }

  /** Streams a body to disk and hashes it on the way; nothing is left behind when the body fails. */
  async receive(body: AsyncIterable<Uint8Array>, algorithms: Iterable<ChecksumAlgorithm>): Promise<Received> {
    const blob = randomBytes(16).toString('hex');
    const path = join(this.#incoming, blob);
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    const running = new Map([...algorithms].map((algorithm) => [algorithm, runningChecksum(algorithm)]));
    let size = 0;
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'wx');
      for await (const bytes of body) {
        for (const hash of [md5, sha256, ...running.values()]) hash.update(bytes);
        size += bytes.length;
        await writeAll(file, bytes);
      }
      if (this.#durable) await this.#flush(file);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file?.close();
    }
    const checksums = new Map([...running].map(([algorithm, checksum]) => [algorithm, checksum.digest()]));
    return { blob, size, md5: md5.digest('hex'), sha256: sha256.digest('hex'), checksums };
  }

  /** Called right after the row is committed, in the same turn, so that no reader comes between. */
  keep(blob: string): void {
    if (existsSync(join(this.#incoming, blob))) renameSync(join(this.#incoming, blob), this.#path(blob));
  }

  /** Drops received bytes that no row came to name. */
  discard(blob: string): void {
    rmSync(join(this.#incoming, blob), { force: true });
  }

  /** Where received bytes lie until `keep` or `discard`. */
  incomingPath(blob: string): string {
    return join(this.#incoming, blob);
  }

  /** Bytes `start` to `end` (inclusive). The file is open on return and outlives its name, should it be deleted. */
  read(blob: string, start: number, end: number): Buffer | Readable {
    const size = end - start + 1;
    if (size <= 0) return Buffer.alloc(0);
    const fd = openSync(this.#path(blob), 'r');
    if (size > atOnce) return createReadStream('', { fd, start, end, highWaterMark: atOnce });
    try {
      const bytes = Buffer.allocUnsafe(size);
      if (readSync(fd, bytes, 0, size, start) !== size)
        throw new Error(`the bytes of object ${blob} are cut short`);
      return bytes;
    } finally {
      closeSync(fd);
    }
  }

  remove(blob: string): void {
    rmSync(this.#path(blob), { force: true });
  }

  #path(blob: string): string {
    const folder = join(this.#stored, blob.slice(0, 2));
    mkdirSync(folder, { recursive: true });
    return join(folder, blob);
  }

  /** The bytes and the name in `incoming`: the later rename may be lost, `settle` does it again. */
  async #flush(file: FileHandle): Promise<void> {
    await file.sync();
    const folder = await open(this.#incoming, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}
