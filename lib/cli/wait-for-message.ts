import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { given, several, wholeNumber } from './input.ts';
import { filterQuery, withMatchOptions, type FilterOptions } from './list-options.ts';
import type { Room } from './room.ts';

interface WaitOptions extends FilterOptions {
  from?: string[];
  subject?: string[];
  timeout: number;
  every: number;
}

/** `posthorn messages wait`: a message that is there, or the next that comes; exit code 1 when none does. */
export function addWait(messages: Command, room: Room): void {
  withMatchOptions(
    messages
      .command('wait')
      .description('the newest message that fits, as soon as there is one')
      .argument('<inbox>', 'an address of the inbox'),
  )
    .option('--from <text>', 'only from; may be given several times', several)
    .option('--subject <text>', 'only with this in the subject; may be given several times', several)
    .option('--timeout <seconds>', 'how long to wait', wholeNumber, 60)
    .option('--every <seconds>', 'how long to wait before asking again', wholeNumber, 1)
    .action(async (inbox: string, options: WaitOptions, command: Command) => {
      const client = room.connection(command).client();
      const { from, subject, timeout, every } = options;
      const query = { ...filterQuery(options), ...given({ from, subject }), limit: 1 };
      const interrupted = room.shell.interrupted?.();
      const end = performance.now() + timeout * 1000;
      for (;;) {
        // A page may be empty when what fits lies far behind.
        for await (const { message_id } of client.inboxes.messages.all(inbox, query))
          return room.print(await client.inboxes.messages.get(inbox, message_id));
        if (performance.now() >= end)
          throw new Error(`no message that fits came to ${inbox} within ${timeout} seconds`);
        await wait(every * 1000, undefined, interrupted && { signal: interrupted }).catch(() => undefined);
        if (interrupted?.aborted) throw new Error('interrupted before a message that fits came');
      }
    });
}
