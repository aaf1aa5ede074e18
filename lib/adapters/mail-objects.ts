import { readFile } from 'node:fs/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import type { Attachment } from '../contract/message.ts';
import type { Bodies, MailObjects, ObjectFolder } from '../core/mail-ports.ts';
import { ulidOf } from '../core/message-lists.ts';
import type { Now } from '../core/ports.ts';
import { together } from '../core/together.ts';
import { contentDisposition, downloadUrl, type BucketAccess } from './download-url.ts';
import { emptyFolder } from './empty-folder.ts';
import { packBodies, unpackBodies } from './dynamo/body-row.ts';

/** SES's own corner of the bucket, and what it writes there once to see whether it may. */
const incoming = 'incoming/';
const setupNotification = `${incoming}AMAZON_SES_SETUP_NOTIFICATION`;
/** SES's trace headers stand at the top, in far less than this. */
const headBytes = 65_536;

export const folderOf = ({ organization_id, uid, message_id }: ObjectFolder): string =>
  `${organization_id}/${uid}/${ulidOf(message_id)}/`;
const indexOf = (attachment: Attachment): string =>
  attachment.attachment_id.slice(attachment.attachment_id.lastIndexOf('_') + 1);
const objectName = (what: 'raw' | 'text' | 'html' | Attachment): string =>
  typeof what === 'string' ? what : `a/${indexOf(what)}`;

/** What a browser that follows the URL is told: to save, under this name, and never to run. */
const download = {
  raw: ['message.eml', 'message/rfc822'],
  text: ['message.txt', 'text/plain; charset=utf-8'],
  html: ['message.html', 'text/html; charset=utf-8'],
} as const;

/** With the function's own credentials. */
export function ownAccess(client = new S3Client({})): BucketAccess {
  return { s3: () => client, ends: () => undefined };
}

/** The mail bucket. Keys begin with the organization; `incoming/` is SES's own corner. */
export function mailObjects(Bucket: string, now: Now, access: BucketAccess = ownAccess()): MailObjects {
  const { s3 } = access;
  const put = (
    folder: ObjectFolder,
    name: string,
    Body: Buffer,
    about: { ContentType: string; ContentLength?: number },
  ) => s3().send(new PutObjectCommand({ Bucket, Key: folderOf(folder) + name, Body, ...about }));

  return {
    async openIncoming(Key) {
      try {
        return (await s3().send(new GetObjectCommand({ Bucket, Key }))).Body as Readable;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },

    async keepRaw(incomingKey, folder) {
      const copy = new CopyObjectCommand({
        Bucket,
        CopySource: `${Bucket}/${incomingKey.split('/').map(encodeURIComponent).join('/')}`,
        Key: `${folderOf(folder)}raw`,
        ContentType: 'message/rfc822',
        MetadataDirective: 'REPLACE',
      });
      try {
        await s3().send(copy);
        return 'kept';
      } catch (error) {
        if (error instanceof NoSuchKey) return 'gone';
        throw error;
      }
    },

    async putAttachment(folder, attachment, path) {
      // Held, not streamed: the SDK repeats no call whose body is a stream, and one S3 503 would fail the whole mail. All
      // attachments of a mail are below 40 MB.
      await put(folder, objectName(attachment), await readFile(path), {
        ContentType: safeType(attachment.content_type),
        ContentLength: attachment.size,
      });
    },

    async putBodies(folder, bodies, large) {
      const rest = Object.fromEntries(
        Object.entries(bodies).filter(([name]) => !large.includes(name as 'text' | 'html')),
      ) as Bodies;
      await put(folder, 'body', packBodies(rest), { ContentType: 'application/octet-stream' });
      for (const name of large)
        await put(folder, name, Buffer.from(bodies[name] ?? ''), { ContentType: download[name][1] });
    },

    async getBodies(folder) {
      const { Body } = await s3().send(new GetObjectCommand({ Bucket, Key: `${folderOf(folder)}body` }));
      return unpackBodies(await Body!.transformToByteArray());
    },

    async removeIncoming(Key) {
      await s3().send(new DeleteObjectCommand({ Bucket, Key }));
    },

    async leftIncoming(before) {
      const { Contents = [] } = await s3().send(
        new ListObjectsV2Command({ Bucket, Prefix: incoming, MaxKeys: 1000 }),
      );
      const left = Contents.filter(
        ({ Key, LastModified }) => Key !== setupNotification && LastModified!.getTime() < before,
      ).slice(0, 100);
      const heads = await together(
        left.map(async ({ Key, LastModified, Size = 0 }) => {
          const about = { key: Key!, stored_at: LastModified!.toISOString() };
          if (Size === 0) return { ...about, head: '' };
          try {
            const { Body } = await s3().send(
              new GetObjectCommand({ Bucket, Key, Range: `bytes=0-${headBytes - 1}` }),
            );
            return { ...about, head: await Body!.transformToString('latin1') };
          } catch (error) {
            // Taken in since it was listed.
            if (error instanceof NoSuchKey) return undefined;
            throw error;
          }
        }),
      );
      return heads.filter((head) => head !== undefined);
    },

    async removeAll(folder) {
      for await (const _ of emptyFolder(s3(), Bucket, folderOf(folder)));
    },

    async urlOf(folder, what) {
      const [filename, type] =
        typeof what === 'string' ? download[what] : [what.filename ?? 'attachment', what.content_type];
      const command = new GetObjectCommand({
        Bucket,
        Key: folderOf(folder) + objectName(what),
        ResponseContentDisposition: contentDisposition(filename),
        // HTML from a mail must not run under the bucket's origin; a download is all it can be.
        ResponseContentType: safeType(type),
      });
      return downloadUrl(access, now, command);
    },
  };
}

const safeType = (type: string | undefined): string =>
  type !== undefined && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; charset=[\w-]+)?$/.test(type)
    ? type
    : 'application/octet-stream';
