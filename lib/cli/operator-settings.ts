import { Option, type Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import { given, wholeNumber } from './input.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

type Update = Body<'operator.organizations.update'>;

interface UpdateOptions {
  name?: string;
  access?: 'sandbox' | 'production';
  bearerKeys?: 'on' | 'off';
  inboxLimit?: number | null;
  domainLimit?: number | null;
  requestsPerMinute?: number | null;
  keyRequestsPerMinute?: number | null;
}

/** `posthorn operator organizations update|suspend|resume` */
export function addOrganizationChanges(organizations: Command, room: Room): void {
  const change = (name: string, does: string): Command =>
    organizations.command(name).description(does).argument('<organization>', 'its organization_id');
  change('update', 'set what the operator sets; a limit of none is no limit')
    .option('--name <name>')
    .addOption(new Option('--access <access>', 'whom it may mail').choices(['sandbox', 'production']))
    .addOption(new Option('--bearer-keys <state>', 'keys without a signature').choices(['on', 'off']))
    .option('--inbox-limit <number>', 'inboxes, at most', limit)
    .option('--domain-limit <number>', 'domains, at most', limit)
    .option('--requests-per-minute <number>', 'of the whole organization', limit)
    .option('--key-requests-per-minute <number>', 'of each of its keys', limit)
    .action(async (organization: string, options: UpdateOptions, command: Command) =>
      room.print(
        await room.connection(command).operator().organizations.update(organization, updateBody(options)),
      ),
    );
  change('suspend', 'refuse every call of its keys; its mail keeps arriving')
    .option('--reason <text>', 'what its callers are told')
    .action(async (organization: string, { reason }: { reason?: string }, command: Command) =>
      room.print(
        await room.connection(command).operator().organizations.suspend(organization, given({ reason })),
      ),
    );
  change('resume', 'let it call again').action(async (organization: string, _: unknown, command: Command) =>
    room.print(await room.connection(command).operator().organizations.resume(organization)),
  );
}

/** `posthorn operator sending …` */
export function addSending(sending: Command, room: Room): void {
  const settings = (command: Command) => room.connection(command).operator().settings;
  sending
    .command('pause')
    .description('nothing is sent for anyone; what waits to be sent waits on')
    .action(async (_: unknown, command: Command) =>
      room.print(await settings(command).update({ sending: 'paused' })),
    );
  sending
    .command('resume')
    .description('send again')
    .action(async (_: unknown, command: Command) =>
      room.print(await settings(command).update({ sending: 'on' })),
    );
  sending
    .command('status')
    .description('whether it is paused')
    .action(async (_: unknown, command: Command) => room.print(await settings(command).get()));
}

const limit = (text: string): number | null => (text === 'none' ? null : wholeNumber(text));

function updateBody({ name, access, bearerKeys, ...limits }: UpdateOptions): Update {
  const body: Update = given({
    name,
    access,
    bearer_keys: bearerKeys && bearerKeys === 'on',
    inbox_limit: limits.inboxLimit,
    domain_limit: limits.domainLimit,
    requests_per_minute: limits.requestsPerMinute,
    key_requests_per_minute: limits.keyRequestsPerMinute,
  });
  if (Object.keys(body).length === 0) throw new UsageError('Give at least one setting to change');
  return body;
}
