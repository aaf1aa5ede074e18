import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Announce } from '../core/publish-event.ts';

/** Puts events on the bus: `source` is `posthorn`, `detail-type` the event type. An entry is far below 1 MB. */
export const eventBus =
  (EventBusName: string, client = new EventBridgeClient({})): Announce =>
  async (event) => {
    const Entries = [
      {
        EventBusName,
        Source: 'posthorn',
        DetailType: event.event_type,
        Detail: JSON.stringify(event),
        Time: new Date(event.timestamp),
      },
    ];
    const { FailedEntryCount = 0, Entries: answers = [] } = await client.send(
      new PutEventsCommand({ Entries }),
    );
    if (FailedEntryCount > 0)
      throw new Error(
        `the bus refused ${event.event_id}: ${answers[0]?.ErrorCode} ${answers[0]?.ErrorMessage}`,
      );
  };
