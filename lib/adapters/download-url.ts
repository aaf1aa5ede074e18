import type { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Now } from '../core/ports.ts';

/** Seconds a download URL is good for, unless the session it is signed in ends before. */
const urlSeconds = 3600;

/** How the bucket is reached, and until when what is signed with that is good; `undefined`: as long as it says. */
export interface BucketAccess {
  s3: () => S3Client;
  /** Milliseconds since the epoch. */
  ends: () => number | undefined;
}

/** A URL that carries out the command for whoever has it. */
export async function downloadUrl({ s3, ends }: BucketAccess, now: Now, command: GetObjectCommand) {
  const signedAt = new Date(now());
  const left = Math.floor(((ends() ?? Infinity) - now()) / 1000);
  const seconds = Math.min(urlSeconds, left);
  const download_url = await getSignedUrl(s3(), command, { expiresIn: seconds, signingDate: signedAt });
  return { download_url, expires_at: new Date(signedAt.getTime() + seconds * 1000).toISOString() };
}

/** RFC 6266 with RFC 8187: an ASCII name for old clients, the real one for the others. */
export function contentDisposition(filename: string): string {
  const ascii = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_').slice(0, 200);
  const extended = encodeURIComponent(filename.slice(0, 200).toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}
