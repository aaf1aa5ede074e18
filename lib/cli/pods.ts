import type { Command } from 'commander';
import { given } from './input.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Room } from './room.ts';

/** `posthorn pods …` */
export function addPods(program: Command, room: Room): void {
  const pods = program
    .command('pods')
    .description('parts of the organization, such as one for each of its customers');
  pods
    .command('create')
    .description('make a pod')
    .option('--name <name>')
    .option('--client-id <id>', 'repeating the command with it answers the same pod')
    .action(async ({ name, clientId: client_id }: { name?: string; clientId?: string }, command: Command) =>
      room.print(await room.connection(command).client().pods.create(given({ name, client_id }))),
    );
  withListOptions(pods.command('list').description('newest first')).action(
    async (options: ListOptions, command: Command) =>
      room.print(await room.connection(command).client().pods.list(listQuery(options))),
  );
  pods
    .command('get')
    .description('one pod')
    .argument('<pod>', 'its pod_id')
    .action(async (pod: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).client().pods.get(pod)),
    );
  pods
    .command('delete')
    .description('only without inboxes; its keys are revoked with it')
    .argument('<pod>', 'its pod_id')
    .action(async (pod: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).client().pods.delete(pod)),
    );
}
