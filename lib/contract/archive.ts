import * as z from 'zod';
import { pageAnswer } from './page.ts';

/** What to do with the mail of an inbox that is deleted; without it the mail goes with the inbox. */
export const deleteInboxQuery = z.object({
  messages: z
    .preprocess(
      (value) => (Array.isArray(value) ? value[value.length - 1] : value),
      z.literal('archive', { error: 'give archive, or leave messages out' }),
    )
    .optional(),
});

/** Nothing, or the archive that is being made. */
export const deletedInbox = z.object({ archive_id: z.string(), pending: z.literal(true) }).optional();

/** The mail of an inbox that is gone, as one mbox file. */
export const archive = z.object({
  archive_id: z.string(),
  organization_id: z.string(),
  pod_id: z.string(),
  /** Of the inbox that was. */
  inbox_id: z.string(),
  /** Pending: it is still being written. */
  state: z.enum(['pending', 'ready']),
  /** Mails in it so far. */
  messages: z.number(),
  /** Mails left out because of a virus. */
  quarantined: z.number(),
  /** Mails left out because their bytes were gone. */
  missing: z.number(),
  /** Bytes so far. */
  size: z.number(),
  /** When it is deleted; known once it is ready. */
  expires_at: z.string().optional(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type Archive = z.infer<typeof archive>;

/** With a URL to download it, once it is ready. It needs no header. */
export const archiveWithUrl = archive.extend({
  download_url: z.string().optional(),
  /** Until when the URL is good; a later `GET` answers a new one. */
  download_url_expires_at: z.string().optional(),
});

export const archiveList = z.object({ ...pageAnswer, archives: z.array(archive) });

/** Days an archive is kept where its organization says nothing else. */
export const defaultArchiveDays = 30;
export const archiveDays = z.number().int().min(1).max(3650);

/**
 * Each archive's object carries this tag with the first of the rungs that is no less than its days: a lifecycle rule
 * looks at a prefix or a tag, and no prefix is common to the archives of all organizations.
 */
export const archiveTag = 'posthorn-archive-days';
export const archiveRungs = [7, 30, 90, 365, 1095, 3650] as const;
