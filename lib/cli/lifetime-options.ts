import type { Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import { byteCount, given, wholeNumber } from './input.ts';
import { UsageError } from './usage-error.ts';

/** A word until the body is made: Commander takes a parsed null for an option that was given no value. */
type OrNone<Value> = Value | 'none';

export interface LifetimeOptions {
  expiresIn?: OrNone<number>;
  expiresAt?: OrNone<string>;
  retentionDays?: OrNone<number>;
  archiveRetentionDays?: OrNone<number>;
  storageLimit?: OrNone<number>;
}

const milliseconds = { m: 60_000, h: 3600_000, d: 24 * 3600_000 } as const;

/** Options for what ends an inbox or its mail. */
export const withLifetime = (command: Command): Command =>
  command
    .option('--expires-in <duration>', 'take it down by itself after 30m, 12h or 7d', orNone(duration))
    .option('--expires-at <time>', 'take it down by itself at this time (ISO 8601)')
    .option('--retention-days <days>', 'how long its mail is kept', orNone(wholeNumber))
    .option('--archive-retention-days <days>', 'how long an archive of its mail is kept', orNone(wholeNumber))
    .option('--storage-limit <bytes>', 'bytes of mail it may hold', orNone(byteCount));

/** What they say, as the body has it; `none` takes a setting away. */
export function lifetimeBody(
  { expiresIn, expiresAt, retentionDays, archiveRetentionDays, storageLimit }: LifetimeOptions,
  now: number,
): Pick<
  NonNullable<Body<'inboxes.update'>>,
  'expires_at' | 'retention_days' | 'archive_retention_days' | 'storage_limit'
> {
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw new UsageError('Give --expires-in or --expires-at, not both');
  const end = typeof expiresIn === 'number' ? new Date(now + expiresIn).toISOString() : expiresIn;
  return given({
    expires_at: sent(end ?? expiresAt),
    retention_days: sent(retentionDays),
    archive_retention_days: sent(archiveRetentionDays),
    storage_limit: sent(storageLimit),
  });
}

const sent = <Value>(value: OrNone<Value> | undefined): Value | null | undefined =>
  value === 'none' ? null : value;

const orNone =
  <Value>(parse: (text: string) => Value) =>
  (text: string): OrNone<Value> =>
    text === 'none' ? text : parse(text);

function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`${text} is not a duration such as 30m, 12h or 7d`);
  return Number(count) * milliseconds[unit as keyof typeof milliseconds];
}
