import type { Command } from 'commander';
import { given, several } from './input.ts';
import { filterQuery, withFilterOptions, type FilterOptions } from './list-options.ts';
import type { Room } from './room.ts';
import { addWait } from './wait-for-message.ts';

interface MessageFilters extends FilterOptions {
  from?: string[];
  to?: string[];
  subject?: string[];
}

/** `posthorn messages …` */
export function addMessages(program: Command, room: Room): void {
  const messages = program.command('messages').description('messages of one inbox');
  addList(messages, room);
  addWait(messages, room);
  const one = (name: string, description: string): Command =>
    messages
      .command(name)
      .description(description)
      .argument('<inbox>', 'an address of the inbox')
      .argument('<message>', 'its message_id');
  one('get', 'one message with its text').action(
    async (inbox: string, message: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).client().inboxes.messages.get(inbox, message)),
  );
  one('delete', 'delete one message').action(
    async (inbox: string, message: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).client().inboxes.messages.delete(inbox, message)),
  );
  addLabel(one('label', 'add and remove labels'), room);
  addDownloads(one, room);
}

function addList(messages: Command, room: Room): void {
  withFilterOptions(
    messages.command('list').description('newest first').argument('<inbox>', 'an address of the inbox'),
  )
    .option('--from <text>', 'only from; may be given several times', several)
    .option('--to <text>', 'only to; may be given several times', several)
    .option('--subject <text>', 'only with this in the subject; may be given several times', several)
    .action(async (inbox: string, options: MessageFilters, command: Command) => {
      const query = {
        ...filterQuery(options),
        ...given({ from: options.from, to: options.to, subject: options.subject }),
      };
      room.print(await room.connection(command).client().inboxes.messages.list(inbox, query));
    });
}

function addLabel(label: Command, room: Room): void {
  label
    .option('--add <label>', 'may be given several times', several)
    .option('--remove <label>', 'may be given several times', several)
    .action(
      async (
        inbox: string,
        message: string,
        { add, remove }: { add?: string[]; remove?: string[] },
        command: Command,
      ) => {
        const body = given({ add_labels: add, remove_labels: remove });
        room.print(await room.connection(command).client().inboxes.messages.update(inbox, message, body));
      },
    );
}

function addDownloads(one: (name: string, description: string) => Command, room: Room): void {
  one('raw', 'the mail as it arrived, to standard output').action(
    async (inbox: string, message: string, _: unknown, command: Command) =>
      download(
        (await room.connection(command).client().inboxes.messages.getRaw(inbox, message)).download_url,
        room,
      ),
  );
  one('attachment', 'an attachment’s bytes, to standard output')
    .argument('<attachment>', 'its attachment_id')
    .action(async (inbox: string, message: string, attachment: string, _: unknown, command: Command) => {
      const { download_url } = await room
        .connection(command)
        .client()
        .inboxes.messages.getAttachment(inbox, message, attachment);
      await download(download_url, room);
    });
}

async function download(url: string, { shell }: Room): Promise<void> {
  const response = await shell.fetch(url);
  if (!response.ok) throw new Error(`The download answered ${response.status}`);
  shell.out(new Uint8Array(await response.arrayBuffer()));
}
