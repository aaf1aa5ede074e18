import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  /** PEM. */
  key: string;
  cert: string;
}

const YEARS = 10;

/** The self-signed certificate of that file (key and certificate in one PEM, mode 0600), made when there is none yet. */
export async function certificate(file: string, name: string): Promise<Certificate> {
  const kept = await read(file);
  if (kept !== undefined) return kept;
  const now = Date.now();
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    algorithm: 'sha256',
    // The machine's clock may be behind the peer's.
    notBeforeDate: new Date(now - 86_400_000),
    notAfterDate: new Date(now + YEARS * 365 * 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: false },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${key.trim()}\n${cert.trim()}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return { key, cert };
}

async function read(file: string): Promise<Certificate | undefined> {
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const [key, cert] = [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]+?-----END [A-Z ]*PRIVATE KEY-----/,
    /-----BEGIN CERTIFICATE-----[^]+/,
  ].map((pattern) => pattern.exec(pem)?.[0]);
  return key === undefined || cert === undefined ? undefined : { key, cert };
}
