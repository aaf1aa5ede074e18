import { Option, type Command } from 'commander';
import type { Client } from '../sdk/client.ts';
import { given } from './input.ts';
import { newKeyBody, permissionsOf, withNewKeyOptions, type NewKeyOptions } from './key-options.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

interface Place {
  pod?: string;
  inbox?: string;
}

/** `posthorn keys …` */
export function addKeys(program: Command, room: Room): void {
  const keys = program.command('keys').description('keys of the organization, of a pod or of an inbox');
  const keysOf = (place: Place, command: Command) => keysAt(room.connection(command).client(), place);
  addMaking(keys, room, keysOf);
  withPlace(keys.command('get').description('one key').argument('<key>', 'its id or client id')).action(
    async (key: string, place: Place, command: Command) => room.print(await keysOf(place, command).get(key)),
  );
  withPlace(
    keys.command('revoke').description('its next call is refused').argument('<key>', 'its id or client id'),
  ).action(async (key: string, place: Place, command: Command) =>
    room.print(await keysOf(place, command).delete(key)),
  );
  withPlace(withListOptions(keys.command('list').description('newest first')))
    .addOption(new Option('--type <type>', 'only these').choices(['public_key', 'bearer']))
    .action(async (options: ListOptions & Place & { type?: 'public_key' | 'bearer' }, command: Command) =>
      room.print(
        await keysOf(options, command).list({ ...listQuery(options), ...given({ type: options.type }) }),
      ),
    );
}

type KeysOf = (place: Place, command: Command) => ReturnType<typeof keysAt>;

function addMaking(keys: Command, room: Room, keysOf: KeysOf): void {
  withPlace(
    withNewKeyOptions(
      keys
        .command('create')
        .description(
          'make a key, never more than the one that signs: a pair, shown once, unless told otherwise',
        ),
    ),
  ).action(async (options: NewKeyOptions & Place, command: Command) =>
    room.print(await keysOf(options, command).create(await newKeyBody(options, room))),
  );
  withPlace(
    keys
      .command('update')
      .description('change the name or the permissions')
      .argument('<key>', 'its id or client id')
      .option('--name <name>')
      .option('--permission <names...>', 'only these permissions from now on'),
  ).action(async (key: string, options: NewKeyOptions & Place, command: Command) => {
    const body = given({ name: options.name, permissions: permissionsOf(options.permission) });
    room.print(await keysOf(options, command).update(key, body));
  });
}

const withPlace = (command: Command): Command =>
  command
    .option('--pod <pod>', 'of this pod')
    .option('--inbox <inbox>', 'of this inbox, by an address of it');

/** The keys of the place that is named, or of all the signing key reaches. */
function keysAt({ apiKeys, pods, inboxes }: Client, { pod, inbox }: Place): Client['apiKeys'] {
  if (pod !== undefined && inbox !== undefined) throw new UsageError('Give --pod or --inbox, not both');
  const [of, id] = pod === undefined ? [inboxes.apiKeys, inbox] : [pods.apiKeys, pod];
  if (id === undefined) return apiKeys;
  return {
    create: (body) => of.create(id, body),
    list: (query) => of.list(id, query),
    all: (query) => of.all(id, query),
    get: (key) => of.get(id, key),
    update: (key, body) => of.update(id, key, body),
    delete: (key) => of.delete(id, key),
  };
}
