import type { Readable } from 'node:stream';

/** 5 GiB, the largest body that any service takes. */
const mostBytes = 5 * 1024 ** 3;
/** A client that is slower than this at sending what is refused anyway is hung up on. */
const mostMs = 30_000;

/**
 * Reads what is left of a body nobody wants, as AWS does before it refuses: a client that is still writing when the
 * connection closes sees a reset, not the answer. Resolves when the body ended, broke off or went past a limit.
 */
export async function drained(body: Readable, limits = { bytes: mostBytes, ms: mostMs }): Promise<void> {
  if (body.destroyed || body.readableEnded) return;
  // What it was piped into may have stopped reading, and would hold it up.
  body.unpipe();
  await new Promise<void>((done) => {
    let left = limits.bytes;
    const stop = () => {
      clearTimeout(timer);
      body.off('data', count).off('end', stop).off('close', stop).pause();
      done();
    };
    const count = (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) stop();
    };
    const timer = setTimeout(stop, limits.ms).unref();
    // A body that breaks off, or does not have its signed hash, is refused already.
    body.once('error', stop);
    body.on('data', count).once('end', stop).once('close', stop).resume();
  });
}
