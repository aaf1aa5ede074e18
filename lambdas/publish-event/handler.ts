import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { eventLog } from '../../lib/adapters/dynamo/event-log.ts';
import { eventOf } from '../../lib/adapters/dynamo/event-rows.ts';
import { nudgeOf } from '../../lib/adapters/dynamo/task-rows.ts';
import { eventBus } from '../../lib/adapters/event-bus.ts';
import { workQueues } from '../../lib/adapters/work-queues.ts';
import { publishChanges, type Change } from '../../lib/core/publish-event.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { createLog } from '../../lib/edge/log.ts';
import { streamDoor } from '../../lib/edge/stream.ts';
import { env } from './env.ts';

const { TABLE_NAME, EVENT_BUS_NAME, DELIVERIES_QUEUE_URL, REMOVALS_QUEUE_URL } = readEnv(env);
const log = createLog();

/** The table's stream: an event row was written, or a row of work asks for a nudge. */
export const handler = streamDoor<Change>({
  parse({ dynamodb }) {
    const event = eventOf(dynamodb?.OldImage, dynamodb?.NewImage);
    if (event !== undefined) return { event };
    const nudge = nudgeOf(dynamodb?.OldImage, dynamodb?.NewImage);
    return nudge && { nudge };
  },
  run: publishChanges({
    log: eventLog(openDatabase(TABLE_NAME), Date.now),
    announce: eventBus(EVENT_BUS_NAME),
    send: workQueues({ deliveries: DELIVERIES_QUEUE_URL, removals: REMOVALS_QUEUE_URL }, Date.now),
    report: (error, about) => log.error('an event cannot be announced', { ...about, error }),
  }),
  log,
});
