import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const keyFile = z.object({
  /** Seals session tokens and derives the secrets of functions' keys. */
  secret: z.string(),
  operator: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
});
export type KeyFile = z.infer<typeof keyFile>;

/** The keys of a home, made on its first start and kept in `keys.json` (mode 0600). Throws when it is damaged. */
export function readKeyFile(home: string): KeyFile {
  const path = join(home, 'keys.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return create(path);
  }
  try {
    return keyFile.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} is damaged; restore it or start with another home`, { cause: error });
  }
}

function create(path: string): KeyFile {
  const keys = {
    secret: randomBytes(32).toString('hex'),
    operator: {
      accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
    },
  };
  // Renamed into place: an end in between leaves no half a file.
  writeFileSync(`${path}.new`, JSON.stringify(keys, null, 2), { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  return keys;
}
