import type { Command } from 'commander';
import { given, parseJson, readInputFile } from './input.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';
import type { Body } from '../sdk/caller.ts';

type CreateKey = Body<'operator.apiKeys.create'>;

/** `posthorn operator …` */
export function addOperator(program: Command, room: Room): void {
  const operator = program
    .command('operator')
    .description('what only the operator may do; signs with AWS credentials');
  addOrganizations(operator.command('organizations').description('tenants'), room);
  addKeys(operator.command('keys').description('keys of organizations'), room);
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

interface KeyOptions {
  name?: string;
  permission?: string[];
  publicKey?: string;
  proof?: string;
}

function addKeys(keys: Command, room: Room): void {
  keys
    .command('create')
    .description('issue a key: a pair is made and shown once, unless a public key is given')
    .argument('<organization>', 'its organization_id')
    .option('--name <name>')
    .option('--permission <names...>', 'only these permissions; all without it')
    .option('--public-key <jwk>', 'register this public JWK (JSON or @file)')
    .option('--proof <signature>', 'its proof, base64url')
    .action(async (organization: string, options: KeyOptions, command: Command) => {
      const body = {
        ...(await keyOf(options, room)),
        ...given({ name: options.name, permissions: permissionsOf(options.permission) }),
      };
      room.print(
        await room
          .connection(command)
          .operator()
          .apiKeys.create(organization, body as CreateKey),
      );
    });
}

const permissionsOf = (names: string[] | undefined): Record<string, true> | undefined =>
  names && Object.fromEntries(names.map((name) => [name, true]));

async function keyOf({ publicKey, proof }: KeyOptions, { shell }: Room): Promise<object> {
  if (publicKey === undefined && proof === undefined) return { type: 'generate' };
  if (publicKey === undefined || proof === undefined)
    throw new UsageError('--public-key and --proof belong together');
  const text = publicKey.startsWith('@') ? await readInputFile(publicKey.slice(1), shell) : publicKey;
  return { type: 'public_key', public_key: parseJson(text, '--public-key'), proof };
}
