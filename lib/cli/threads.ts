import type { Command } from 'commander';
import { filterQuery, withFilterOptions, type FilterOptions } from './list-options.ts';
import type { Room } from './room.ts';

interface InInbox {
  inbox?: string;
}

/** `posthorn threads …` */
export function addThreads(program: Command, room: Room): void {
  const threads = program.command('threads').description('threads of one inbox, or of all the key may see');
  withFilterOptions(
    threads.command('list').description('newest first').option('--inbox <inbox>', 'an address of the inbox'),
  ).action(async ({ inbox, ...options }: FilterOptions & InInbox, command: Command) => {
    const client = room.connection(command).client();
    const query = filterQuery(options);
    room.print(
      inbox === undefined
        ? await client.threads.list(query)
        : await client.inboxes.threads.list(inbox, query),
    );
  });
  threads
    .command('get')
    .description('one thread with its messages')
    .argument('<thread>', 'its thread_id')
    .option('--inbox <inbox>', 'an address of the inbox')
    .action(async (thread: string, { inbox }: InInbox, command: Command) => {
      const client = room.connection(command).client();
      room.print(
        inbox === undefined
          ? await client.threads.get(thread)
          : await client.inboxes.threads.get(inbox, thread),
      );
    });
}
