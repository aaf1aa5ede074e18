import * as z from 'zod';

/** Days mail is kept, counted from when SES took it. */
export const retentionDays = z.number().int().min(1).max(3650);
/** Bytes of raw mail. */
export const storageLimit = z
  .number()
  .int()
  .min(1)
  .max(2 ** 50);
