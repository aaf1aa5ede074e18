import { type CfnElement, Stack, Validations } from 'aws-cdk-lib';
import { ArnPrincipal, Effect, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { ledgerChanges, ledgerForgeries, ledgerLines, ledgerProof } from './append-only.ts';
import type { MailStore } from './mail-store.ts';

const tag = '${aws:PrincipalTag/organization}';

/**
 * The wall between tenants: a role that a function takes on anew for each organization, tagged with it. It reaches
 * the rows and objects that begin with the tag, and the lookup rows, which hold no mail.
 */
export class TenantRole extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, assumedBy: Role, store: MailStore) {
    super(scope, id);
    const { table, indexArns, bucket } = store;
    const role = new Role(this, 'role', {
      description: 'One organization, by its session tag',
      assumedBy: new ArnPrincipal(assumedBy.roleArn)
        .withConditions({
          StringLike: { 'aws:RequestTag/organization': 'org_*' },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['organization'] },
        })
        .withSessionTags(),
    });
    this.arn = role.roleArn;
    const own = [`O#${tag}`, `O#${tag}#*`];
    const lookups = ['ADDR#*', 'KEY#*', 'NONCE#*'];
    const grant = (actions: string[], resources: string[], leadingKeys: string[]) =>
      role.addToPolicy(
        new PolicyStatement({
          actions: actions.map((action) => `dynamodb:${action}`),
          resources,
          conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } },
        }),
      );
    grant(
      ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
      [table.tableArn],
      [...own, ...lookups],
    );
    // A change leaves work for later, for every organization in the same partitions; nobody reads it here.
    grant(['PutItem'], [table.tableArn], ['DUE#*']);
    grant(['Query'], indexArns, own);
    const ban = (actions: string[], conditions: typeof ledgerLines) =>
      role.addToPolicy(
        new PolicyStatement({ effect: Effect.DENY, actions, resources: [table.tableArn], conditions }),
      );
    ban(ledgerChanges, ledgerLines);
    ban(ledgerForgeries, ledgerProof);
    role.addToPolicy(
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${bucket.bucketArn}/${tag}/*`] }),
    );
    const bucketId = Stack.of(this).getLogicalId(bucket.node.defaultChild as CfnElement);
    Validations.of(this).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/<aws:PrincipalTag/organization>/*]`,
      reason: 'The objects of one organization lie under its id, which the session tag names.',
    });
  }
}
