import type { Command } from 'commander';
import { addOperatorAudit } from './audit.ts';
import { given } from './input.ts';
import { newKeyBody, withNewKeyOptions, type NewKeyOptions } from './key-options.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import { addOrganizationChanges, addSending } from './operator-settings.ts';
import type { Room } from './room.ts';

/** `posthorn operator …` */
export function addOperator(program: Command, room: Room): void {
  const operator = program
    .command('operator')
    .description('what only the operator may do; signs with AWS credentials');
  const organizations = operator.command('organizations').description('tenants');
  addOrganizations(organizations, room);
  addOrganizationChanges(organizations, room);
  addKeys(operator.command('keys').description('keys of organizations'), room);
  addSending(operator.command('sending').description('whether anybody’s mail goes out'), room);
  addOperatorAudit(operator, room);
  const undeliverable = operator.command('undeliverable').description('mail to addresses nobody has');
  withListOptions(undeliverable.command('list').description('newest first')).action(
    async (options: ListOptions, command: Command) =>
      room.print(await room.connection(command).operator().undeliverable.list(listQuery(options))),
  );
}

function addOrganizations(organizations: Command, room: Room): void {
  organizations
    .command('create')
    .description('make an organization')
    .option('--name <name>')
    .action(async ({ name }: { name?: string }, command: Command) =>
      room.print(await room.connection(command).operator().organizations.create(given({ name }))),
    );
  withListOptions(organizations.command('list').description('newest first')).action(
    async (options: ListOptions, command: Command) =>
      room.print(await room.connection(command).operator().organizations.list(listQuery(options))),
  );
  organizations
    .command('get')
    .argument('<organization>', 'its organization_id')
    .action(async (id: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).operator().organizations.get(id)),
    );
}

function addKeys(keys: Command, room: Room): void {
  withNewKeyOptions(
    keys
      .command('create')
      .description('issue a key: a pair is made and shown once, unless a public key is given')
      .argument('<organization>', 'its organization_id'),
  ).action(async (organization: string, options: NewKeyOptions, command: Command) =>
    room.print(
      await room
        .connection(command)
        .operator()
        .apiKeys.create(organization, await newKeyBody(options, room)),
    ),
  );
  withListOptions(
    keys.command('list').description('newest first').argument('<organization>', 'its organization_id'),
  ).action(async (organization: string, options: ListOptions, command: Command) =>
    room.print(await room.connection(command).operator().apiKeys.list(organization, listQuery(options))),
  );
  keys
    .command('revoke')
    .description('its next call is refused')
    .argument('<organization>', 'its organization_id')
    .argument('<key>', 'its api_key_id')
    .action(async (organization: string, key: string, _: unknown, command: Command) =>
      room.print(await room.connection(command).operator().apiKeys.delete(organization, key)),
    );
}
