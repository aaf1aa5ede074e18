import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Announce } from '../core/publish-event.ts';

/**
 * Puts at most 10 events on the bus: `source` is `posthorn`, `detail-type` the event type. An entry is far below the
 * megabyte that all of them may have.
 */
export const eventBus =
  (EventBusName: string, client = new EventBridgeClient({})): Announce =>
  async (events) => {
    const Entries = events.map((event) => ({
      EventBusName,
      Source: 'posthorn',
      DetailType: event.event_type,
      Detail: JSON.stringify(event),
      Time: new Date(event.timestamp),
    }));
    const { Entries: answers = [] } = await client.send(new PutEventsCommand({ Entries }));
    return events.map(({ event_id }, n) => {
      const { EventId, ErrorCode, ErrorMessage } = answers[n] ?? {};
      return EventId === undefined
        ? new Error(`the bus refused ${event_id}: ${ErrorCode ?? 'no answer'} ${ErrorMessage ?? ''}`)
        : undefined;
    });
  };
