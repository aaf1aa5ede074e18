import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Answer } from '../sdk/caller.ts';
import type { Client } from '../sdk/client.ts';
import { wholeNumber } from './input.ts';
import type { Room } from './room.ts';

type Event = Answer<'inboxes.events.list'>['events'][number];

interface TailOptions {
  json?: true;
  once?: true;
  last: number;
  after?: number;
  every: number;
}

/** Events one call asks for. */
const page = 100;

/** `posthorn events …` */
export function addEvents(program: Command, room: Room): void {
  program
    .command('events')
    .description('what happened in an inbox')
    .command('tail')
    .description('the last events of an inbox, then each as it happens, until Ctrl-C')
    .argument('<inbox>', 'an address of the inbox')
    .option('--json', 'one JSON object a line')
    .option('--once', 'end with the last that there is')
    .option('--last <number>', 'begin with so many, at most 100', wholeNumber, 10)
    .option('--after <position>', 'begin behind this position instead', wholeNumber)
    .option('--every <seconds>', 'how long to wait before asking again', wholeNumber, 1)
    .action(async (inbox: string, options: TailOptions, command: Command) =>
      tail(room.connection(command).client(), inbox, options, room),
    );
}

async function tail(client: Client, inbox: string, options: TailOptions, { shell }: Room): Promise<void> {
  const print = (events: Event[]): void => {
    for (const event of events) shell.out(`${options.json ? JSON.stringify(event) : lineOf(event)}\n`);
  };
  const interrupted = shell.interrupted?.();
  let position = options.after ?? (await begin(client, inbox, options.last, print));
  for (;;) {
    for await (const event of client.inboxes.events.all(inbox, { after_position: position, limit: page })) {
      print([event]);
      position = Math.max(position, event.position ?? 0);
    }
    if (options.once || interrupted?.aborted) return;
    await wait(options.every * 1000, undefined, interrupted && { signal: interrupted }).catch(
      () => undefined,
    );
    if (interrupted?.aborted) return;
  }
}

/** Shows the last events and answers the position that the next ones come behind. */
async function begin(
  client: Client,
  inbox: string,
  last: number,
  print: (events: Event[]) => void,
): Promise<number> {
  const { events } = await client.inboxes.events.list(inbox, { limit: Math.min(Math.max(last, 1), page) });
  // One that has no position yet comes with those that follow.
  const numbered = events.filter(({ position }) => position !== undefined);
  print(numbered.slice(0, last).toReversed());
  return Math.max(0, ...numbered.map(({ position }) => position!));
}

const lineOf = (event: Event): string =>
  printable(
    [
      event.event_at,
      event.event_type.padEnd(24),
      event.message_id ?? event.thread_id ?? event.webhook_id ?? '',
      event.label ?? '',
      event.from ?? event.reason ?? '',
      event.subject ?? '',
    ]
      .filter((part) => part !== '')
      .join('  '),
  ).trimEnd();

/** What a sender or a key of an inbox wrote must not steer the terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
