import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { transaction } from '../open-database.ts';
import type { Counter } from './counter.ts';
import type { Operation } from './operations.ts';
import type { Queue } from './queue.ts';

const startInput = z.object({
  SourceArn: z.string(),
  DestinationArn: z.string().nullish(),
  MaxNumberOfMessagesPerSecond: z.number().int().min(1).max(500).nullish(),
});

/** StartMessageMoveTask: dead letters go back to where they came from, or to the destination; here in one step. */
export const startMove: Operation = (counter, caller, input) => {
  const request = startInput.parse(input);
  const source = counter.byArn(request.SourceArn);
  for (const action of ['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
    counter.authorize(caller, action, source);
  }
  const feeding = [...counter.queues.values()].filter(
    (queue) => queue.settings.redrive?.arn === request.SourceArn,
  );
  if (feeding.length === 0) {
    throw new AwsError('UnsupportedOperation', 'Source queue must be configured as a Dead Letter Queue.');
  }
  const destination = request.DestinationArn == null ? undefined : counter.byArn(request.DestinationArn);
  for (const queue of destination === undefined ? feeding : [destination]) {
    counter.authorize(caller, 'SendMessage', queue);
  }
  const { moved, left } = move(counter, source, destination);
  const taskHandle = randomUUID();
  counter.moves.unshift({
    sourceArn: request.SourceArn,
    destinationArn: destination?.settings.arn,
    moved,
    left,
    started: Math.floor(counter.cloud.clock.now()),
  });
  return { TaskHandle: taskHandle };
};

function move(
  counter: Counter,
  source: Queue,
  destination: Queue | undefined,
): { moved: number; left: number } {
  const { store, cloud } = counter;
  const now = cloud.clock.now();
  const woken = new Set<Queue>();
  const counts = transaction(store.database, () => {
    let [moved, left] = [0, 0];
    for (const message of store.all(source.settings.name, now)) {
      const target = destination ?? (message.source === undefined ? undefined : counter.find(message.source));
      if (target === undefined) {
        left++;
        continue;
      }
      store.move(message.sequence, target.settings.name, undefined, now, now);
      woken.add(target);
      moved++;
    }
    return { moved, left };
  });
  for (const queue of woken) queue.wake();
  return counts;
}

/** ListMessageMoveTasks: the newest first, up to 10; they are forgotten with the process. */
export const listMoves: Operation = (counter, caller, input) => {
  const request = z
    .object({ SourceArn: z.string(), MaxResults: z.number().int().min(1).max(10).nullish() })
    .parse(input);
  counter.authorize(caller, 'ListMessageMoveTasks', counter.byArn(request.SourceArn));
  const found = counter.moves.filter(({ sourceArn }) => sourceArn === request.SourceArn);
  const Results = found
    .slice(0, request.MaxResults ?? 1)
    .map(({ sourceArn, destinationArn, moved, left, started }) => ({
      Status: left === 0 ? 'COMPLETED' : 'FAILED',
      SourceArn: sourceArn,
      DestinationArn: destinationArn,
      ApproximateNumberOfMessagesMoved: moved,
      ApproximateNumberOfMessagesToMove: moved + left,
      StartedTimestamp: started,
      FailureReason: left === 0 ? undefined : 'CouldNotDetermineMessageSource',
    }));
  return { Results };
};
