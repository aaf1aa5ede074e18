import { describe, expect, it } from 'vitest';
import { exportedKey, lineKey, sealPk } from '../../lib/adapters/dynamo/keys.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';
import type { PolicyStatement, RoleCaller } from '../../lib/local/cloud.ts';
import { evaluate } from '../../lib/local/iam/evaluate.ts';

const place = { account: '000000000000', region: 'us-east-1', now: Date.parse('2026-01-31T12:00:00Z') };
const organization = 'org_01k0000000000000000000000a';
const tableArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/mail';
const line = lineKey(organization, '2026-01-31', '01k0000000000000000000000b').pk;
const changes = ['UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLUpdate', 'PartiQLDelete'];

/** The statements of each role about the table, by the role's logical id. */
function rolesOf(tenantFence: boolean): [string, PolicyStatement[]][] {
  const { template } = synthesize({ mailDomain: 'mail.acme.io', tenantFence, bundle: false });
  const resources: [string, any][] = Object.entries(template['Resources']);
  const [tableId] = resources.find(([, { Type }]) => Type === 'AWS::DynamoDB::GlobalTable')!;
  const arns: Record<string, string> = { [`{"Fn::GetAtt":["${tableId}","Arn"]}`]: tableArn };
  const arnOf = (resource: unknown) => arns[JSON.stringify(resource)] ?? 'arn:aws:other:::thing';
  const policies = resources.filter(([, { Type }]) => Type === 'AWS::IAM::Policy');
  return resources
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .map(([id]) => [
      id,
      policies
        .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === id))
        .flatMap(([, { Properties }]) => [Properties.PolicyDocument.Statement].flat())
        .map((statement) => ({ ...statement, Resource: [statement.Resource].flat().map(arnOf) })),
    ]);
}

const may = (statements: PolicyStatement[], action: string, ...leadingKeys: string[]): boolean => {
  const roleArn = 'arn:aws:iam::000000000000:role/one';
  const caller: RoleCaller = {
    ...{ kind: 'role', roleArn, arn: roleArn, accessKeyId: 'ASIA' },
    tags: { organization },
  };
  const context = { 'dynamodb:LeadingKeys': leadingKeys };
  const access = { caller, action: `dynamodb:${action}`, resource: tableArn, context };
  return evaluate(access, statements, place).outcome === 'allowed';
};

describe.each([
  ['with the wall between tenants', true],
  ['without it', false],
])('the roles of the template, %s', (_, fence) => {
  const roles = rolesOf(fence);

  it('let nobody change or remove a line of the ledger, alone or among other rows', () => {
    const can = roles.flatMap(([id, statements]) =>
      changes
        .filter((action) => may(statements, action, line) || may(statements, action, 'O#org_1', line))
        .map((action) => `${id}: ${action}`),
    );
    expect(can).toEqual([]);
  });

  it('let only who seals write seals, and only who exports say how far', () => {
    const writers = (key: string) =>
      roles
        .filter(([, statements]) => ['PutItem', ...changes].some((action) => may(statements, action, key)))
        .map(([id]) => id.replace(/role[0-9A-F]{8}$/, ''));
    expect(writers(sealPk(organization))).toEqual(['ledgersealledger']);
    expect(writers(exportedKey(organization).pk)).toEqual(['ledgerexportexportledger']);
  });

  it('let those who keep the mail change what is no line', () => {
    const inbox = `O#${organization}#I#inb_1`;
    const can = roles.filter(([, statements]) => may(statements, 'UpdateItem', inbox)).map(([id]) => id);
    const names = can.map((id) => id.replace(/role[0-9A-F]{8}$/, ''));
    expect(names).toEqual(
      expect.arrayContaining(['announcepublishevent', 'apioperator', 'duerundue', 'intakereceivemail']),
    );
    // Behind the wall only a session of the organization does.
    expect([names.includes('api'), names.includes('apitenant')]).toEqual([!fence, fence]);
  });

  it('let lines be put by whoever answers calls', () => {
    const putters = roles.filter(([, statements]) => may(statements, 'PutItem', line)).map(([id]) => id);
    expect(putters.some((id) => id.startsWith('apirole'))).toBe(true);
    expect(putters.some((id) => id.startsWith('ledgersealledger'))).toBe(false);
  });
});
