import type { Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import { confirm, withYes, type YesOption } from './confirm.ts';
import { given, parseJson } from './input.ts';
import { lifetimeBody, withLifetime, type LifetimeOptions } from './lifetime-options.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Room } from './room.ts';

type Create = Body<'inboxes.create'>;
type Update = Body<'inboxes.update'>;

interface CreateOptions extends LifetimeOptions {
  username?: string;
  domain?: string;
  displayName?: string;
  clientId?: string;
  metadata?: string;
  generateKey?: true;
  webhook?: string;
}

type UpdateOptions = Pick<CreateOptions, 'displayName' | 'metadata'> & LifetimeOptions;

/** `posthorn inboxes …` */
export function addInboxes(program: Command, room: Room): void {
  const inboxes = program
    .command('inboxes')
    .description('inboxes of the key’s organization, pod, or its own');
  addCreate(inboxes, room);
  withListOptions(inboxes.command('list').description('newest first')).action(
    async (options: ListOptions, command: Command) =>
      room.print(await room.connection(command).client().inboxes.list(listQuery(options))),
  );
  inboxes
    .command('get')
    .description('one inbox')
    .argument('<inbox>', 'an address of it')
    .action(async (inbox: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).client().inboxes.get(inbox)),
    );
  addUpdate(inboxes, room);
  withYes(inboxes.command('delete').description('take an inbox down with all its mail, for good'))
    .argument('<inbox>', 'an address of it')
    .option('--archive', 'put its mail into an archive first, one mbox file')
    .action(async (inbox: string, { yes, archive }: YesOption & { archive?: true }, command: Command) => {
      confirm(yes, archive === true ? inbox : `${inbox} and all its mail`, room);
      const query = archive === true ? { messages: 'archive' as const } : {};
      room.print(await room.connection(command).client().inboxes.delete(inbox, query));
    });
}

function addCreate(inboxes: Command, room: Room): void {
  const create = inboxes
    .command('create')
    .description('provision an inbox; without options it gets a random name')
    .option('--username <name>', 'what stands before the @')
    .option('--domain <domain>', 'the mail domain by default')
    .option('--display-name <name>', 'what stands before the address in From')
    .option('--client-id <id>', 'repeating the command with it answers the same inbox')
    .option('--metadata <json>', 'an object of texts, numbers and booleans')
    .option('--generate-key', 'also make a key for this inbox alone; it is shown once')
    .option('--webhook <url>', 'also tell this URL of received mail');
  withLifetime(create).action(async (options: CreateOptions, command: Command) => {
    const {
      username,
      domain,
      displayName: display_name,
      clientId: client_id,
      metadata,
      generateKey,
      webhook,
      ...lifetime
    } = options;
    const body = given({
      username,
      domain,
      display_name,
      client_id,
      metadata: metadata === undefined ? undefined : parseJson(metadata, '--metadata'),
      credential: generateKey && { type: 'generate' },
      webhook: webhook === undefined ? undefined : { url: webhook },
      ...lifetimeBody(lifetime, Date.now()),
    });
    room.print(
      await room
        .connection(command)
        .client()
        .inboxes.create(body as Create),
    );
  });
}

function addUpdate(inboxes: Command, room: Room): void {
  const update = inboxes
    .command('update')
    .description('change the display name, metadata, or what ends it; none takes away what ends it')
    .argument('<inbox>', 'an address of it')
    .option('--display-name <name>')
    .option('--metadata <json>', 'members to set; null removes one, null alone removes all');
  withLifetime(update).action(async (inbox: string, options: UpdateOptions, command: Command) => {
    const metadata = options.metadata === undefined ? undefined : parseJson(options.metadata, '--metadata');
    const { displayName: display_name, metadata: _, ...lifetime } = options;
    const body = given({ display_name, metadata, ...lifetimeBody(lifetime, Date.now()) });
    room.print(
      await room
        .connection(command)
        .client()
        .inboxes.update(inbox, body as Update),
    );
  });
}
