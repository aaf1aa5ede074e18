import type { Command } from 'commander';
import { verifyWholeLedger, type LedgerSource } from '../sdk/verify-ledger.ts';
import { given } from './input.ts';
import { listQuery, withListOptions, type ListOptions } from './list-options.ts';
import type { Connection } from './connection.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

interface AuditOptions extends ListOptions {
  before?: string;
  after?: string;
  action?: string;
  outcome?: string;
  apiKey?: string;
  resource?: string;
}
interface VerifyOptions {
  knownHead?: string;
}
interface OperatorVerifyOptions extends VerifyOptions {
  export?: string;
}

/** Some lines of the ledger, or some seals, are not as they were written. */
export class LedgerBroken extends Error {}

/** `posthorn audit …`: the ledger of the key's own organization. */
export function addAudit(program: Command, room: Room): void {
  const audit = program.command('audit').description('who did what: the ledger of the key’s organization');
  withAuditOptions(audit.command('list').description('newest first')).action(
    async (options: AuditOptions, command: Command) =>
      room.print(await room.connection(command).client().audit.list(auditQuery(options))),
  );
  withVerifyOptions(audit.command('verify')).action(async (options: VerifyOptions, command: Command) => {
    const client = room.connection(command).client();
    const { organization_id } = await client.organizations.get();
    const lines = client.audit.all({ limit: 500, ascending: true });
    await verify(room, { organization_id, lines, seals: client.audit.allSeals({ limit: 500 }) }, options);
  });
}

/** `posthorn operator audit …`: the ledger of any organization. */
export function addOperatorAudit(operator: Command, room: Room): void {
  const audit = operator.command('audit').description('the ledger of an organization');
  const on = (command: Command): Command => command.argument('<organization>', 'its organization_id');
  withAuditOptions(on(audit.command('list')).description('newest first')).action(
    async (id: string, options: AuditOptions, command: Command) =>
      room.print(await room.connection(command).operator().audit.list(id, auditQuery(options))),
  );
  withVerifyOptions(on(audit.command('verify')))
    .option('--export <bucket>', 'also against what is kept in this bucket: the output LedgerBucket names it')
    .action(async (organization_id: string, options: OperatorVerifyOptions, command: Command) => {
      const connection = room.connection(command);
      const ledger = connection.operator().audit;
      const lines = ledger.all(organization_id, { limit: 500, ascending: true });
      const seals = ledger.allSeals(organization_id, { limit: 500 });
      const exported =
        options.export && (await openExport(connection, room, options.export, organization_id));
      await verify(room, { organization_id, lines, seals, ...(exported && { exported }) }, options);
    });
  on(audit.command('erase'))
    .description('forget personal facts behind the lines: give --value or --all')
    .option('--value <value>', 'this value, such as an IP address, wherever it stands')
    .option('--all', 'every value of the organization')
    .action(async (id: string, { value, all }: { value?: string; all?: true }, command: Command) => {
      if ((value === undefined) === (all === undefined)) throw new UsageError('Give either --value or --all');
      const what = value === undefined ? { all: true as const } : { value };
      room.print(await room.connection(command).operator().audit.erase(id, what));
    });
}

const withAuditOptions = (command: Command): Command =>
  withListOptions(command)
    .option('--before <time>', 'only before this ISO 8601 time')
    .option('--after <time>', 'only after this ISO 8601 time')
    .option('--action <route>', 'only this action, such as inboxes.messages.get')
    .option('--outcome <outcome>', 'only allowed, denied or failed')
    .option('--api-key <id>', 'only what this key did')
    .option('--resource <id>', 'only what concerns this id');

const auditQuery = ({ before, after, action, outcome, apiKey, resource, ...options }: AuditOptions) => ({
  ...listQuery(options),
  ...given({ before, after, action, api_key_id: apiKey, resource }),
  // The server says what is allowed.
  ...(outcome !== undefined && { outcome: outcome as 'allowed' }),
});

const withVerifyOptions = (command: Command): Command =>
  command
    .description('hold every line against the seals; exit code 1 when something does not fit')
    .option('--known-head <number:hash>', 'head of an earlier verification, which has to be there still');

async function openExport(connection: Connection, { shell }: Room, bucket: string, organizationId: string) {
  // Loaded here: S3's client takes longer to load than any other command to run.
  const [{ createS3 }, { exportedLedger }] = await Promise.all([
    import('./s3.ts'),
    import('./exported-ledger.ts'),
  ]);
  return exportedLedger(createS3(shell.env, connection.there()), bucket, organizationId);
}

async function verify(room: Room, source: LedgerSource, { knownHead }: VerifyOptions): Promise<void> {
  const verdict = await verifyWholeLedger({ ...source, ...(knownHead && { known: headOf(knownHead) }) });
  room.print(verdict);
  if (verdict.findings.length > 0)
    throw new LedgerBroken(`The ledger of ${verdict.organization_id} is not as it was written`);
}

function headOf(text: string): { number: number; hash: string } {
  const [, number, hash] = /^(\d{1,12}):([\w-]{43})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined)
    throw new UsageError('--known-head is the number and the hash of a head, with a colon between');
  return { number: Number(number), hash };
}
