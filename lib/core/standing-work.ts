import type { DueStore, DueWork, Waiting } from './due-ports.ts';
import type { StoredInbox } from './ports.ts';
import type { DueWorks } from './run-due.ts';

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
const measuredEvery = 5;

/** Each is named in one way only: the same work at the same time is one row, however often it is filed. */
const retainMail = (organization_id: string, uid?: string): DueWork => ({
  kind: 'retain-mail',
  organization_id,
  ...(uid !== undefined && { uid }),
});
const measureStorage = (organization_id: string): DueWork => ({ kind: 'measure-storage', organization_id });

/** The next look for mail that is too old: once a day, each inbox and organization at its own minute. */
export const nextRetention = (organization_id: string, uid: string | undefined, now: number): Waiting => ({
  work: retainMail(organization_id, uid),
  at: nextTurn(uid ?? organization_id, dayMinutes, now),
});

/** The next measurement of what an organization stores: every five minutes. */
export const nextMeasurement = (organization_id: string, now: number): Waiting => ({
  work: measureStorage(organization_id),
  at: nextTurn(organization_id, measuredEvery, now),
});

/**
 * The next of the minutes that belong to a name, one in each `period` (minutes). Whoever asks before then is told the
 * same, so work that is filed for it from several sides, or by a repeat, does not multiply.
 */
export function nextTurn(name: string, period: number, now: number): number {
  let offset = 0;
  for (let at = 0; at < name.length; at++) offset = (offset * 31 + name.charCodeAt(at)) % period;
  const passed = Math.floor((now / minuteMs - offset) / period);
  return ((passed + 1) * period + offset) * minuteMs;
}

/** Work is taken as its minute begins: what must not be done before its second waits for the next full minute. */
export const fullMinute = (time: number): number => Math.ceil(time / minuteMs) * minuteMs;

/** What waits for the end of an inbox: its announcement, and the end. */
export function expiryOf(
  { organization_id, uid, expires_at, updated_at }: StoredInbox,
  noticeMinutes: number,
  now: number,
): Waiting[] {
  if (expires_at === undefined) return [];
  const end = Date.parse(expires_at);
  const about = { organization_id, uid, expires_at, set_at: updated_at };
  return [
    { work: { kind: 'announce-expiry', ...about }, at: Math.max(now, end - noticeMinutes * minuteMs) },
    { work: { kind: 'expire-inbox', ...about }, at: fullMinute(end) },
  ];
}

/** Takes back what is filed and still to come. */
export function withdrawal(waiting: Waiting[], now: number): Waiting[] {
  const ahead = waiting.filter(({ at }) => at > now);
  return ahead.length === 0 ? [] : [{ work: { kind: 'withdraw', waiting: ahead }, at: now }];
}

/** Takes back what an inbox that is taken down was waiting for. */
export const withdrawalOf = (
  { organization_id, uid, retention_days, waiting = [] }: StoredInbox,
  now: number,
): Waiting[] =>
  withdrawal(
    [...waiting, ...(retention_days === undefined ? [] : [nextRetention(organization_id, uid, now)])],
    now,
  );

/** The same of an organization. */
export const withdrawalOfOrganization = (organization_id: string, now: number): Waiting[] =>
  withdrawal([nextRetention(organization_id, undefined, now), nextMeasurement(organization_id, now)], now);

/** What a `withdraw` does. */
export const withdrawWork = (due: Pick<DueStore, 'withdraw'>): Pick<DueWorks, 'withdraw'> => ({
  withdraw: ({ waiting }) => due.withdraw(waiting),
});
