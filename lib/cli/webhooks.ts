import type { Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import { given, several } from './input.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';
import { webhooksAt, withPlace, type Place } from './webhook-place.ts';

type Create = Body<'webhooks.create'>;
type Update = Body<'webhooks.update'>;
type WebhooksOf = (place: Place, command: Command) => ReturnType<typeof webhooksAt>;

/** `posthorn webhooks …` */
export function addWebhooks(program: Command, room: Room): void {
  const webhooks = program
    .command('webhooks')
    .description('who is told of events: webhooks of the organization, of a pod or of an inbox');
  const of: WebhooksOf = (place, command) => webhooksAt(room.connection(command).client(), place);
  addCreate(webhooks, room, of);
  withPlace(withListOptions(webhooks.command('list').description('newest first, without secrets'))).action(
    async (options: ListOptions & Place, command: Command) =>
      room.print(await of(options, command).list(listQuery(options))),
  );
  const one = (name: string, description: string) =>
    withPlace(webhooks.command(name).description(description).argument('<webhook>', 'its id'));
  one('get', 'one webhook, with its secret').action(async (webhook: string, place: Place, command: Command) =>
    room.print(await of(place, command).get(webhook)),
  );
  addUpdate(one('update', 'change what it hears, or enable it again'), room, of);
  one('delete', 'nothing is delivered to it any more').action(
    async (webhook: string, place: Place, command: Command) =>
      room.print(await of(place, command).delete(webhook)),
  );
  one('rotate-secret', 'make a new secret; the one before signs too for a day').action(
    async (webhook: string, place: Place, command: Command) =>
      room.print(await of(place, command).rotateSecret(webhook)),
  );
  addHeaders(one('headers', 'names of the headers sent along; with options, change them'), room, of);
  withListOptions(one('deliveries', 'what went to it in the last 30 days, and what came of each try')).action(
    async (webhook: string, options: ListOptions & Place, command: Command) =>
      room.print(await of(options, command).listDeliveries(webhook, listQuery(options))),
  );
  one('redeliver', 'deliver one event again')
    .argument('<delivery>', 'its id')
    .action(async (webhook: string, delivery: string, place: Place, command: Command) =>
      room.print(await of(place, command).redeliver(webhook, delivery)),
    );
}

interface CreateOptions extends Place {
  event: string[];
  onlyInbox?: string[];
  onlyPod?: string[];
  header?: string[];
  clientId?: string;
}

function addCreate(webhooks: Command, room: Room, of: WebhooksOf): void {
  withPlace(
    webhooks
      .command('create')
      .description('have events sent to a URL')
      .argument('<url>', 'an https URL of a public host')
      .requiredOption('--event <types...>', 'event types, such as message.received')
      .option('--only-inbox <inboxes...>', 'only of these inboxes')
      .option('--only-pod <pods...>', 'only of these pods')
      .option('--header <name: value>', 'send this header along; may be given several times', several)
      .option('--client-id <id>', 'repeating the command with it answers the same webhook'),
  ).action(async (url: string, options: CreateOptions, command: Command) => {
    const { event, onlyInbox, onlyPod, header, clientId } = options;
    const body = given({
      ...{ url, event_types: event, inbox_ids: onlyInbox, pod_ids: onlyPod, client_id: clientId },
      headers: header && headersOf(header),
    });
    // The server says which event types there are.
    room.print(await of(options, command).create(body as Create));
  });
}

interface UpdateOptions extends Place {
  event?: string[];
  enable?: true;
  disable?: true;
  addInbox?: string[];
  removeInbox?: string[];
  addPod?: string[];
  removePod?: string[];
}

function addUpdate(update: Command, room: Room, of: WebhooksOf): void {
  update
    .option('--event <types...>', 'these event types from now on')
    .option('--enable', 'set it going again')
    .option('--disable', 'deliver nothing to it')
    .option('--add-inbox <inboxes...>', 'also of these inboxes')
    .option('--remove-inbox <inboxes...>', 'no more of these inboxes')
    .option('--add-pod <pods...>', 'also of these pods')
    .option('--remove-pod <pods...>', 'no more of these pods')
    .action(async (webhook: string, options: UpdateOptions, command: Command) => {
      const { event, enable, disable, addInbox, removeInbox, addPod, removePod } = options;
      if (enable && disable) throw new UsageError('Give --enable or --disable, not both');
      const body = given({
        event_types: event,
        enabled: enable ?? (disable && false),
        ...{ add_inbox_ids: addInbox, remove_inbox_ids: removeInbox },
        ...{ add_pod_ids: addPod, remove_pod_ids: removePod },
      });
      room.print(await of(options, command).update(webhook, body as Update));
    });
}

interface HeaderOptions extends Place {
  set?: string[];
  remove?: string[];
}

function addHeaders(headers: Command, room: Room, of: WebhooksOf): void {
  headers
    .option('--set <name: value>', 'send this header along; may be given several times', several)
    .option('--remove <names...>', 'send these no more')
    .action(async (webhook: string, options: HeaderOptions, command: Command) => {
      const webhooks = of(options, command);
      const { set, remove: remove_headers } = options;
      if (set === undefined && remove_headers === undefined)
        return room.print(await webhooks.getHeaders(webhook));
      const body = given({ headers: set && headersOf(set), remove_headers });
      return room.print(await webhooks.updateHeaders(webhook, body));
    });
}

function headersOf(lines: string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      if (at < 1) throw new UsageError(`${line} is not a header: give "name: value"`);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}
