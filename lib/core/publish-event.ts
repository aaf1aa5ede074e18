import type { MailEvent, PublishedEvent } from '../contract/event.ts';

/** Port: numbers the events of an inbox, each once. */
export interface EventLog {
  /** The event's place in its inbox's log: the next one, or the one it has already. */
  position(event: MailEvent & { uid: string }): Promise<number>;
}
/** Port: the bus everybody listens to. */
export type Announce = (event: PublishedEvent) => Promise<void>;

/** Gives an event its place and puts it on the bus. A repeat has the same place, so that subscribers know it again. */
export const publishEvent =
  ({ log, announce }: { log: EventLog; announce: Announce }) =>
  async ({ uid, ...event }: MailEvent & { uid: string }): Promise<void> => {
    const position = await log.position({ uid, ...event });
    await announce({ ...event, position });
  };
