import { open } from 'node:fs/promises';

/** Beyond this a mail's headers are not read: no honest mail comes near, and signature checks cost by header. */
export const LARGEST_HEADERS = 1024 * 1024;

export interface HeaderSection {
  /** Up to the empty line, or the first 1 MB of it. */
  text: string;
  /** Whether the empty line (or the end of the mail) was found. */
  complete: boolean;
}

/** The header section of a mail in a file. */
export async function readHeaderSection(file: string): Promise<HeaderSection> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(64 * 1024);
    let bytes = Buffer.alloc(0);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      const searchFrom = Math.max(0, bytes.length - 3);
      bytes = Buffer.concat([bytes, buffer.subarray(0, bytesRead)]);
      const end = endOfHeaders(bytes, searchFrom);
      if (end !== undefined || bytesRead === 0)
        return { text: bytes.subarray(0, end).toString('utf8'), complete: true };
      if (bytes.length >= LARGEST_HEADERS) return { text: bytes.toString('utf8'), complete: false };
    }
  } finally {
    await handle.close();
  }
}

function endOfHeaders(bytes: Buffer, from: number): number | undefined {
  if (bytes[0] === 10 || (bytes[0] === 13 && bytes[1] === 10)) return 0;
  const ends = [bytes.indexOf('\n\r\n', from), bytes.indexOf('\n\n', from)].filter((end) => end >= 0);
  return ends.length === 0 ? undefined : Math.min(...ends) + 1;
}
