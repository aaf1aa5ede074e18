import { Option, type Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import { confirm, withYes, type YesOption } from './confirm.ts';
import { byteCount, given, wholeNumber } from './input.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

type Update = Body<'operator.organizations.update'>;

/** A word until the body is made: Commander takes a parsed null for an option that was given no value. */
type Limit = number | 'none';

interface UpdateOptions {
  name?: string;
  access?: 'sandbox' | 'production';
  bearerKeys?: 'on' | 'off';
  inboxLimit?: Limit;
  domainLimit?: Limit;
  requestsPerMinute?: Limit;
  keyRequestsPerMinute?: Limit;
  archiveRetentionDays?: Limit;
  retentionDays?: Limit;
  storageLimit?: Limit;
}

/** `posthorn operator organizations update|suspend|resume|delete` */
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
    .option('--archive-retention-days <days>', 'how long archives are kept; none is 30', limit)
    .option('--retention-days <days>', 'how long mail is kept', limit)
    .option('--storage-limit <bytes>', 'bytes of mail in all its inboxes', size)
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
  withYes(change('delete', 'delete it with all its inboxes and mail, for good; its ledger stays')).action(
    async (organization: string, { yes }: YesOption, command: Command) => {
      confirm(yes, `${organization} and everything it has`, room);
      room.print(await room.connection(command).operator().organizations.delete(organization));
    },
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

const limit = (text: string): Limit => (text === 'none' ? text : wholeNumber(text));

const size = (text: string): Limit => (text === 'none' ? text : byteCount(text));

const sent = (value: Limit | undefined): number | null | undefined => (value === 'none' ? null : value);

function updateBody({ name, access, bearerKeys, ...limits }: UpdateOptions): Update {
  const body: Update = given({
    name,
    access,
    bearer_keys: bearerKeys && bearerKeys === 'on',
    inbox_limit: sent(limits.inboxLimit),
    domain_limit: sent(limits.domainLimit),
    requests_per_minute: sent(limits.requestsPerMinute),
    key_requests_per_minute: sent(limits.keyRequestsPerMinute),
    retention_days: sent(limits.retentionDays),
    storage_limit: sent(limits.storageLimit),
    archive_retention_days: sent(limits.archiveRetentionDays),
  });
  if (Object.keys(body).length === 0) throw new UsageError('Give at least one setting to change');
  return body;
}
