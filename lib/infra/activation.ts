import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/activate-receiving/env.ts';
import type { Config } from './config.ts';
import { type MailIntake, rulePrefix } from './mail-intake.ts';
import { NodeFunction } from './node-function.ts';
import { unscopedActions } from './unscoped-actions.ts';

/** Makes SES use the receipt rule: CloudFormation makes rule sets, but never the active one. */
export class Activation extends Construct {
  readonly function: NodeFunction<Env>;

  constructor(scope: Construct, id: string, config: Config, intake: MailIntake) {
    super(scope, id);
    this.function = new NodeFunction<Env>(this, 'activate-receiving', {
      config,
      environment: {},
      description: 'Activates the receipt rule set on deploy, without disturbing another one',
      errorImpact: 'A deploy fails; mail keeps arriving as it did before it.',
      memory: 256,
      // Up to 200 rules may have to be moved at 1 request per second.
      timeout: Duration.minutes(10),
    });
    for (const action of Object.values(unscopedActions)) {
      this.function.allow({
        actions: [action],
        on: ['*'],
        because: 'AWS defines no resource type for the actions on receipt rules.',
      });
    }
    const { rule, ruleSet, ruleDefinition } = intake;
    const resource = new CustomResource(this, 'active-rule-set', {
      resourceType: 'Custom::ActiveReceiptRuleSet',
      serviceToken: this.function.function.functionArn,
      serviceTimeout: Duration.minutes(11),
      properties: {
        RuleSetName: ruleSet.ref,
        RulePrefix: rulePrefix(this),
        Policy: config.activateReceiving,
        // As JSON, because CloudFormation turns every scalar of a custom resource into a string.
        Rule: Stack.of(this).toJsonString(sdkNames(ruleDefinition)),
      },
    });
    resource.node.addDependency(rule, ruleSet);
  }
}

/** The rule with the spelling that SES's API has: `scanEnabled` → `ScanEnabled`. */
function sdkNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sdkNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.charAt(0).toUpperCase() + key.slice(1), sdkNames(item)]),
  );
}
