import type { CreateInbox, UpdateInbox } from '../contract/inbox.ts';
import { may, type KeyPrincipal } from '../contract/principal.ts';
import { invalidField, Problem } from '../contract/problem.ts';
import type { Waiting } from './due-ports.ts';
import type { StoredInbox } from './ports.ts';
import { expiryOf, nextRetention, withdrawal } from './standing-work.ts';

/** Members of an inbox that end it or its mail. */
export const lifetimeNames = [
  'expires_at',
  'retention_days',
  'archive_retention_days',
  'storage_limit',
] as const;
type LifetimeName = (typeof lifetimeNames)[number];
type Lifetime = Pick<StoredInbox, LifetimeName>;
type Asked = Pick<CreateInbox & UpdateInbox, LifetimeName>;

/** Ten years, in milliseconds. */
const longest = 3653 * 24 * 3600_000;

/** The time in one spelling, so that times compare as texts. Throws where it does not lie ahead, or too far. */
export function checkExpiry(expires_at: string, now: number): string {
  const time = Date.parse(expires_at);
  if (time <= now) throw invalidField(['expires_at'], 'the time is over', 'Give a later time.');
  if (time > now + longest)
    throw invalidField(['expires_at'], 'the time is more than ten years away', 'Give an earlier time.');
  return new Date(time).toISOString();
}

/**
 * What ends an inbox or its mail is not set with the inbox's own key: with it an agent could lift its limits, or delete
 * what it may not. An end, and how long an archive is kept, needs the permission to delete an inbox, a retention that to
 * delete messages.
 */
export function checkMayChange(principal: KeyPrincipal, asked: Asked): void {
  const named = lifetimeNames.find((name) => asked[name] !== undefined);
  if (named === undefined) return;
  if (principal.scope.inbox !== undefined)
    throw new Problem('missing_permission', `a key of one inbox cannot change ${named}`, {
      fix: 'Use a key of the pod or of the organization.',
    });
  const needed = [
    (asked.expires_at !== undefined || asked.archive_retention_days !== undefined) &&
      ('inbox_delete' as const),
    asked.retention_days !== undefined && ('message_delete' as const),
  ].find((permission) => permission && !may(principal, permission));
  if (needed)
    throw new Problem('missing_permission', `this key does not have the permission ${needed}`, {
      fix: `Use a key with ${needed}.`,
    });
}

/** What an inbox is to have, from what it has and what was asked; null takes a member away. */
export function lifetimeOf(current: Lifetime, asked: Asked, now: number): Lifetime {
  const { expires_at } = asked;
  const wanted = {
    ...asked,
    ...(expires_at != null && { expires_at: checkExpiry(expires_at, now) }),
  };
  return Object.fromEntries(
    lifetimeNames.flatMap((name) => {
      const value = wanted[name] === undefined ? current[name] : wanted[name];
      return value == null ? [] : [[name, value]];
    }),
  );
}

/** The inbox with what it waits for, and what is to be filed and taken back, where these were set. */
export function withWaiting(
  inbox: StoredInbox,
  asked: Asked,
  { now, expiryNoticeMinutes }: { now: number; expiryNoticeMinutes: number },
): { inbox: StoredInbox; due: Waiting[] } {
  const { waiting: old = [], ...rest } = inbox;
  const retention =
    asked.retention_days == null ? [] : [nextRetention(inbox.organization_id, inbox.uid, now)];
  if (asked.expires_at === undefined) return { inbox, due: retention };
  const waiting = expiryOf(inbox, expiryNoticeMinutes, now);
  return {
    inbox: { ...rest, ...(waiting.length > 0 && { waiting }) },
    due: [...waiting, ...retention, ...withdrawal(old, now)],
  };
}
