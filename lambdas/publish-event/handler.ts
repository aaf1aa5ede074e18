import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { eventLog } from '../../lib/adapters/dynamo/event-log.ts';
import { eventOf } from '../../lib/adapters/dynamo/event-rows.ts';
import { eventBus } from '../../lib/adapters/event-bus.ts';
import { publishEvent } from '../../lib/core/publish-event.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { streamDoor } from '../../lib/edge/stream.ts';
import { env } from './env.ts';

const { TABLE_NAME, EVENT_BUS_NAME } = readEnv(env);
const publish = publishEvent({ log: eventLog(openDatabase(TABLE_NAME)), announce: eventBus(EVENT_BUS_NAME) });

/** The table's stream: an event row was written. */
export const handler = streamDoor({
  parse: ({ eventName, dynamodb }) => (eventName === 'INSERT' ? eventOf(dynamodb?.NewImage) : undefined),
  run: publish,
});
