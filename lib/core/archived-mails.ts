import type { ArchiveObjects, ArchiveStore, StoredArchive } from './archive-ports.ts';
import type { StoredMessage } from './mail-ports.ts';

/** Small mails are fetched so many at once, since each takes longer to ask for than to write. */
const aheadMost = 16;
const smallBytes = 256 * 1024;

interface Mail {
  message: StoredMessage;
  raw?: AsyncIterable<Uint8Array> | undefined;
}

/** The mails behind where the archive stands, oldest first, with their bytes: small ones are there before their turn. */
export async function* mailsOf(
  { archives, objects }: { archives: Pick<ArchiveStore, 'messages'>; objects: Pick<ArchiveObjects, 'raw'> },
  archive: StoredArchive,
): AsyncGenerator<Mail> {
  const messages = archives.messages(archive, archive.progress.after)[Symbol.asyncIterator]();
  const ahead: { message: StoredMessage; small?: Promise<Uint8Array[] | undefined> }[] = [];
  const fetched = async (message: StoredMessage): Promise<Uint8Array[] | undefined> => {
    const raw = await objects.raw(message);
    return raw && Array.fromAsync(raw);
  };
  try {
    for (let ended = false; ;) {
      while (!ended && ahead.length < aheadMost) {
        const { value: message, done } = await messages.next();
        if (done === true) ended = true;
        else if (message.quarantined === true || message.size > smallBytes) ahead.push({ message });
        else {
          const small = fetched(message);
          // Whoever waits for it hears of it.
          small.catch(() => undefined);
          ahead.push({ message, small });
        }
      }
      const next = ahead.shift();
      if (next === undefined) return;
      const { message, small } = next;
      if (message.quarantined === true) yield { message };
      else if (small === undefined) yield { message, raw: await objects.raw(message) };
      else yield { message, raw: asStream(await small) };
    }
  } finally {
    // Nothing may be on its way when the function has answered.
    await Promise.allSettled(ahead.map(async ({ small }) => small));
  }
}

const asStream = (chunks: Uint8Array[] | undefined): AsyncIterable<Uint8Array> | undefined =>
  chunks &&
  (async function* () {
    yield* chunks;
  })();
