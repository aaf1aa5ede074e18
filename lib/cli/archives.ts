import type { Command } from 'commander';
import { confirm, withYes, type YesOption } from './confirm.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Room } from './room.ts';

/** `posthorn archives …` */
export function addArchives(program: Command, room: Room): void {
  const archives = program.command('archives').description('mail of deleted inboxes, each as one mbox file');
  const of = (command: Command) => room.connection(command).client().archives;
  withListOptions(archives.command('list').description('newest first')).action(
    async (options: ListOptions, command: Command) => room.print(await of(command).list(listQuery(options))),
  );
  archives
    .command('get')
    .description('one archive; when it is ready, with a URL to download it')
    .argument('<archive>', 'its id')
    .action(async (archive: string, _: unknown, command: Command) =>
      room.print(await of(command).get(archive)),
    );
  withYes(archives.command('delete').description('delete an archive, for good'))
    .argument('<archive>', 'its id')
    .action(async (archive: string, { yes }: YesOption, command: Command) => {
      confirm(yes, `the archive ${archive}`, room);
      room.print(await of(command).delete(archive));
    });
}
