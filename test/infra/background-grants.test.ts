import { beforeAll, describe, expect, it } from 'vitest';
import { lineKey, secretKey, sealPk } from '../../lib/adapters/dynamo/keys.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';
import type { PolicyStatement } from '../../lib/local/cloud.ts';
import { organizationId } from '../support/mail-samples.ts';
import { askedInTheBackground, places } from './background-scene.ts';
import { idOf, mayDo, rolesOf, type Template } from './role-statements.ts';

const template = synthesize({ mailDomain: 'mail.acme.io', bundle: false }).template as Template;
const queues = Object.keys(template.Resources).filter(
  (id) => template.Resources[id]!.Type === 'AWS::SQS::Queue',
);
const queueArn = (id: string) => `arn:aws:sqs:us-east-1:000000000000:${id}`;
const roles = rolesOf(template, {
  [idOf(template, 'AWS::DynamoDB::GlobalTable')]: places.table,
  [idOf(template, 'AWS::S3::Bucket', 'store')]: places.mail,
  [idOf(template, 'AWS::S3::Bucket', 'ledgerexport')]: places.ledger,
  ...Object.fromEntries(queues.map((id) => [id, queueArn(id)])),
});
let asked: Awaited<ReturnType<typeof askedInTheBackground>>;
beforeAll(async () => {
  asked = await askedInTheBackground();
});

const list = (value: string | string[] | undefined): string[] => [value ?? []].flat();
const nameOf = ({ action, resource, context }: (typeof asked)['remove-inbox'][number]) =>
  `${action} ${resource} ${JSON.stringify(context)}`;

/** What a grant of the table or of a bucket gives, and the grant with all but that. */
function partsOf(grant: PolicyStatement): { part: string; less: PolicyStatement }[] {
  const { Effect, Condition } = grant;
  const [actions, resources] = [list(grant.Action), list(grant.Resource)];
  if (Effect !== 'Allow' || !/^(dynamodb|s3):/.test(actions[0]!)) return [];
  const [keyed, name] = ['ForAllValues:StringLike', 'dynamodb:LeadingKeys'] as const;
  const keys = list(Condition?.[keyed]?.[name] as string[] | undefined);
  const all = (values: string[], less: (rest: string[]) => Partial<PolicyStatement>) =>
    values.map((part) => ({ part, less: { ...grant, ...less(values.filter((one) => one !== part)) } }));
  return [
    ...all(actions, (rest) => ({ Action: rest })),
    ...all(resources, (rest) => ({ Resource: rest })),
    ...all(keys, (rest) => ({ Condition: { [keyed]: { [name]: rest } } })),
  ];
}

describe.each([
  ['fan-out-webhooks', 'webhooksfanoutwebhooks', 'webhooksqueue'],
  ['deliver-webhook', 'webhooksdeliverwebhook', 'workdeliveries'],
  ['export-ledger', 'ledgerexportexportledger', undefined],
  ['remove-inbox', 'removalremoveinbox', 'workremovals'],
] as const)('%s', (name, role, queue) => {
  const statements = roles.get(role)!;
  it('may do all that it asks of the table and the buckets', () => {
    expect(asked[name].length).toBeGreaterThan(5);
    expect(asked[name].filter((one) => !mayDo(statements, one)).map(nameOf)).toEqual([]);
  });

  it('is granted no action, no resource and no kind of row that it could do without', () => {
    const idle = statements.flatMap((grant, at) =>
      partsOf(grant)
        .filter(({ less }) => asked[name].every((one) => mayDo(statements.with(at, less), one)))
        .map(({ part }) => part),
    );
    expect(idle).toEqual([]);
  });

  it('is denied what would undo or forge what others did', () => {
    const line = lineKey(organizationId, '2026-01-31', '01k0000000000000000000000b').pk;
    const onTable = (action: string, ...keys: string[]) =>
      mayDo(statements, {
        action: `dynamodb:${action}`,
        resource: places.table,
        ...(keys.length > 0 && { context: { 'dynamodb:LeadingKeys': keys } }),
      });
    for (const action of ['DeleteTable', 'UpdateTable', 'UpdateTimeToLive', 'Scan'])
      expect([action, onTable(action)]).toEqual([action, false]);
    for (const action of ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'])
      expect([action, onTable(action, sealPk(organizationId))]).toEqual([action, false]);
    for (const action of ['UpdateItem', 'DeleteItem', 'BatchWriteItem'])
      expect([action, onTable(action, line)]).toEqual([action, false]);
    for (const action of ['GetItem', 'BatchGetItem', 'Query', 'PutItem'])
      expect([action, onTable(action, secretKey('x').pk)]).toEqual([action, false]);
    const onObject = (action: string, resource: string) => mayDo(statements, { action, resource });
    for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'])
      expect([action, onObject(action, `${places.mail}/incoming/1`)]).toEqual([action, false]);
    for (const action of ['s3:DeleteBucket', 's3:PutBucketPolicy', 's3:PutLifecycleConfiguration'])
      expect([action, onObject(action, places.mail)]).toEqual([action, false]);
    const seal = `${places.ledger}/${organizationId}/000000000001.ndjson`;
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutObjectRetention'])
      expect([action, onObject(action, seal)]).toEqual([action, false]);
  });

  it('takes messages from its own queue, and sends none to any', () => {
    const taking = ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'];
    const may = (action: string) =>
      queues.filter((id) => mayDo(statements, { action: `sqs:${action}`, resource: queueArn(id) }));
    const own = queues.filter((id) => queue !== undefined && id.replace(/[0-9A-F]{8}$/, '') === queue);
    expect(own).toHaveLength(queue === undefined ? 0 : 1);
    for (const action of taking) expect([action, may(action)]).toEqual([action, own]);
    for (const action of ['SendMessage', 'PurgeQueue', 'DeleteQueue', 'StartMessageMoveTask'])
      expect([action, may(action)]).toEqual([action, []]);
  });
});
