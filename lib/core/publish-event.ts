import {
  eventVersion,
  published,
  type Announced,
  type MailEvent,
  type PublishedEvent,
} from '../contract/event.ts';
import type { Nudge } from './nudge.ts';
import { together } from './together.ts';

/** An event with the inbox whose log it stands in; without one it stands in its organization's. */
export interface LoggedEvent extends MailEvent {
  uid?: string;
}

/** `announced`: it was on the bus before. `gone`: its row is no more, and nobody counts it. */
export type Place = number | 'announced' | 'gone';

/** Port: numbers the events of a log, each once and in the order they are given. */
export interface EventLog {
  /** Places of events of one log; an event that has one keeps it. */
  places(events: LoggedEvent[]): Promise<Place[]>;
  /** They are on the bus: nobody has to look after them any more. */
  settle(events: LoggedEvent[]): Promise<void>;
}

/** Port: the bus everybody listens to. Answers of each event why it was not taken, `undefined` where it was. */
export type Announce = (events: PublishedEvent[]) => Promise<(Error | undefined)[]>;
/** Events the bus takes at once. */
export const announcedAtOnce = 10;

/** Port: the queues of work. Answers of each nudge why it was not taken. */
export type SendNudges = (nudges: Nudge[]) => Promise<(Error | undefined)[]>;

/** What a record of the stream asks for. */
export type Change = { event: LoggedEvent } | { nudge: Nudge };
/** A change that has to be told of again, by its place in the batch. */
export interface Failure {
  at: number;
  error: unknown;
}

export interface PublishDeps {
  log: EventLog;
  announce: Announce;
  send: SendNudges;
  /** Hears of an event that can never be announced, since it is not of the form of its type. */
  report: (error: unknown, about: { event_id: string; event_type: string }) => void;
}

/**
 * Takes what the stream tells of, in its order: gives events their places and puts them on the bus, and nudges those
 * who work. What fails is answered and holds back what comes after it in its own log, and nothing else; told of again,
 * it has the same place, and what was announced already stays announced once.
 */
export const publishChanges =
  (deps: PublishDeps) =>
  async (changes: Change[]): Promise<Failure[]> => {
    const told = changes.flatMap((change, at) => ('event' in change ? [{ at, event: change.event }] : []));
    const asked = changes.flatMap((change, at) => ('nudge' in change ? [{ at, nudge: change.nudge }] : []));
    const failures = await together([publishEvents(deps, told), sendNudges(deps, asked)]);
    return failures.flat();
  };

async function sendNudges({ send }: PublishDeps, asked: { at: number; nudge: Nudge }[]): Promise<Failure[]> {
  if (asked.length === 0) return [];
  const outcomes = await send(asked.map(({ nudge }) => nudge)).catch((error: unknown) =>
    asked.map(() => error),
  );
  return asked.flatMap(({ at }, n) => (outcomes[n] === undefined ? [] : [{ at, error: outcomes[n] }]));
}

interface Told {
  at: number;
  event: LoggedEvent;
}
interface Ready extends Told {
  detail: PublishedEvent;
}

const logOf = ({ organization_id, uid }: LoggedEvent): string => `${organization_id} ${uid ?? ''}`;

async function publishEvents(deps: PublishDeps, told: Told[]): Promise<Failure[]> {
  const failures: Failure[] = [];
  const ready: Ready[] = [];
  await together(
    [...byLog(told).values()].map(async (events) => {
      try {
        const places = await deps.log.places(events.map(({ event }) => event));
        ready.push(...events.flatMap((one, n) => toReady(deps, one, places[n]!)));
      } catch (error) {
        failures.push({ at: events[0]!.at, error });
      }
    }),
  );
  // Logs are numbered side by side; announced is in the order of the stream.
  ready.sort((a, b) => a.at - b.at);
  failures.push(...(await announceAll(deps, ready)));
  return failures;
}

/** Events by their log, in their order; one that is told of twice counts once. */
function byLog(told: Told[]): Map<string, Told[]> {
  const logs = new Map<string, Told[]>();
  const seen = new Set<string>();
  for (const one of told) {
    const log = logOf(one.event);
    if (seen.has(`${log} ${one.event.event_id}`)) continue;
    seen.add(`${log} ${one.event.event_id}`);
    logs.set(log, [...(logs.get(log) ?? []), one]);
  }
  return logs;
}

function toReady({ report }: PublishDeps, { at, event }: Told, place: Place): Ready[] {
  if (typeof place !== 'number') return [];
  const { uid, ...rest } = event;
  const whole = {
    version: eventVersion,
    ...rest,
    ...(uid !== undefined && { inbox_uid: uid }),
    position: place,
  };
  const read = published[event.event_type as Announced]?.safeParse(whole);
  if (read?.success) return [{ at, event, detail: read.data as unknown as PublishedEvent }];
  const { event_id, event_type } = event;
  report(read?.error ?? new Error('no event of this type is announced'), { event_id, event_type });
  return [];
}

async function announceAll({ log, announce }: PublishDeps, ready: Ready[]): Promise<Failure[]> {
  const failures: Failure[] = [];
  const held = new Set<string>();
  let waiting = ready;
  while (waiting.length > 0) {
    const open = waiting.filter(({ event }) => !held.has(logOf(event)));
    const batch = open.slice(0, announcedAtOnce);
    waiting = open.slice(announcedAtOnce);
    if (batch.length === 0) break;
    const outcomes = await announce(batch.map(({ detail }) => detail)).catch((error: unknown) =>
      batch.map(() => error),
    );
    const fail = ({ at, event }: Ready, error: unknown): void => {
      failures.push({ at, error });
      held.add(logOf(event));
    };
    const taken = batch.filter((one, n) => {
      if (outcomes[n] !== undefined) fail(one, outcomes[n]);
      return outcomes[n] === undefined;
    });
    try {
      await log.settle(taken.map(({ event }) => event));
    } catch (error) {
      for (const one of taken) fail(one, error);
    }
  }
  return failures;
}
