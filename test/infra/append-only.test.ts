import { describe, expect, it } from 'vitest';
import { exportedKey, lineKey, sealPk } from '../../lib/adapters/dynamo/keys.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';
import type { PolicyStatement } from '../../lib/local/cloud.ts';
import { idOf, mayDo, rolesOf, type Template } from './role-statements.ts';

const organization = 'org_01k0000000000000000000000a';
const tableArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/mail';
const line = lineKey(organization, '2026-01-31', '01k0000000000000000000000b').pk;
const changes = ['UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLUpdate', 'PartiQLDelete'];

const may = (statements: PolicyStatement[], action: string, ...leadingKeys: string[]): boolean => {
  const context = { 'dynamodb:LeadingKeys': leadingKeys };
  return mayDo(statements, { action: `dynamodb:${action}`, resource: tableArn, context }, { organization });
};

describe.each([
  ['with the wall between tenants', true],
  ['without it', false],
])('the roles of the template, %s', (_, fence) => {
  const template = synthesize({ mailDomain: 'mail.acme.io', tenantFence: fence, bundle: false })
    .template as Template;
  const roles = [...rolesOf(template, { [idOf(template, 'AWS::DynamoDB::GlobalTable')]: tableArn })];

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
        .map(([name]) => name);
    expect(writers(sealPk(organization))).toEqual(['ledgersealledger']);
    expect(writers(exportedKey(organization).pk)).toEqual(['ledgerexportexportledger']);
  });

  it('let those who keep the mail change what is no line', () => {
    const inbox = `O#${organization}#I#inb_1`;
    const names = roles
      .filter(([, statements]) => may(statements, 'UpdateItem', inbox))
      .map(([name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(['announcepublishevent', 'apioperator', 'duerundue', 'intakereceivemail']),
    );
    // Behind the wall only a session of the organization does.
    expect([names.includes('api'), names.includes('apitenant')]).toEqual([!fence, fence]);
  });

  it('let lines be put by whoever answers calls', () => {
    const putters = roles.filter(([, statements]) => may(statements, 'PutItem', line)).map(([name]) => name);
    expect([putters.includes('api'), putters.includes('ledgersealledger')]).toEqual([true, false]);
  });
});
