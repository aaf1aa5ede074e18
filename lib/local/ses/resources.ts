import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Deployed, Resource, ResourceType } from '../cloud.ts';
import { ignored } from '../ignored.ts';
import type { IdentityStore } from './identity-store.ts';
import { checkedRule, receiptRule, type ReceiptRule } from './receipt-rule.ts';
import type { RuleStore } from './rule-store.ts';

interface Deps {
  rules: RuleStore;
  identities: IdentityStore;
  /** Names of the configuration sets; filled by each start's deployment. */
  configurationSets: Set<string>;
  tryRule(set: string, rule: ReceiptRule): Promise<void>;
}

export const sesResources = (deps: Deps): ResourceType[] => [
  ruleSet(deps),
  rule(deps),
  emailIdentity(deps),
  configurationSet(deps),
];

function ruleSet({ rules }: Deps): ResourceType {
  const properties = z.strictObject({
    RuleSetName: z.string().optional(),
    Tags: ignored('tags have no effect here'),
  });
  return {
    type: 'AWS::SES::ReceiptRuleSet',
    properties,
    deploy({ properties: { RuleSetName }, physicalName }: Resource<z.output<typeof properties>>): Deployed {
      const name = RuleSetName ?? physicalName.slice(0, 64);
      if (rules.find(name) === undefined) rules.create(name);
      return { ref: name };
    },
  };
}

function rule({ rules, tryRule }: Deps): ResourceType {
  const properties = z.strictObject({
    RuleSetName: z.string(),
    After: z.string().optional(),
    Rule: receiptRule,
  });
  return {
    type: 'AWS::SES::ReceiptRule',
    properties,
    async deploy(resource: Resource<z.output<typeof properties>>): Promise<Deployed> {
      const { RuleSetName, After, Rule } = resource.properties;
      const checked = checkedRule(Rule, Rule.Name ?? resource.physicalName.slice(0, 64));
      const known = rules.get(RuleSetName).Rules.find(({ Name }) => Name === checked.Name);
      // CloudFormation leaves alone what the template has not changed, so SES sends no setup mail again.
      if (isDeepStrictEqual(known, JSON.parse(JSON.stringify(checked)))) return { ref: checked.Name };
      await tryRule(RuleSetName, checked);
      if (known !== undefined) rules.updateRule(RuleSetName, checked);
      else rules.addRule(RuleSetName, checked, After);
      return { ref: checked.Name };
    },
  };
}

function emailIdentity({ identities }: Deps): ResourceType {
  const properties = z.strictObject({
    EmailIdentity: z.string(),
    DkimAttributes: z.strictObject({ SigningEnabled: z.boolean().optional() }).optional(),
    DkimSigningAttributes: z
      .strictObject({ NextSigningKeyLength: z.literal('RSA_2048_BIT').optional() })
      .optional(),
    MailFromAttributes: z
      .strictObject({
        MailFromDomain: z.string().optional(),
        BehaviorOnMxFailure: z.enum(['USE_DEFAULT_VALUE', 'REJECT_MESSAGE']).optional(),
      })
      .optional(),
    FeedbackAttributes: z.strictObject({ EmailForwardingEnabled: z.boolean().optional() }).optional(),
    ConfigurationSetAttributes: z.strictObject({ ConfigurationSetName: z.string().optional() }).optional(),
    Tags: ignored('tags have no effect here'),
  });
  return {
    type: 'AWS::SES::EmailIdentity',
    properties,
    async deploy({ properties: wanted }: Resource<z.output<typeof properties>>): Promise<Deployed> {
      const mailFrom = wanted.MailFromAttributes;
      const identity = await identities.put(wanted.EmailIdentity, {
        dkimSigning: wanted.DkimAttributes?.SigningEnabled ?? true,
        mailFrom:
          mailFrom?.MailFromDomain === undefined
            ? undefined
            : {
                domain: mailFrom.MailFromDomain,
                onMxFailure: mailFrom.BehaviorOnMxFailure ?? 'USE_DEFAULT_VALUE',
              },
        feedbackForwarding: wanted.FeedbackAttributes?.EmailForwardingEnabled ?? true,
        configurationSet: wanted.ConfigurationSetAttributes?.ConfigurationSetName,
      });
      const attributes = identities
        .dkimRecords(identity)
        .flatMap(({ name, value }, at) => [
          [`DkimDNSTokenName${at + 1}`, name] as const,
          [`DkimDNSTokenValue${at + 1}`, value] as const,
        ]);
      return { ref: wanted.EmailIdentity, attributes: Object.fromEntries(attributes) };
    },
  };
}

function configurationSet({ configurationSets }: Deps): ResourceType {
  const properties = z.strictObject({
    Name: z.string().optional(),
    DeliveryOptions: ignored('STARTTLS is always there, and no other pool of addresses'),
    ReputationOptions: ignored('reputation is not kept here'),
    SendingOptions: z.strictObject({ SendingEnabled: z.literal(true).optional() }).optional(),
    SuppressionOptions: ignored('nothing puts an address onto the suppression list yet'),
    TrackingOptions: ignored('opens and clicks are not tracked here'),
    VdmOptions: ignored('a dashboard'),
    Tags: ignored('tags have no effect here'),
  });
  return {
    type: 'AWS::SES::ConfigurationSet',
    properties,
    deploy({ properties: { Name }, physicalName }: Resource<z.output<typeof properties>>): Deployed {
      const name = Name ?? physicalName.slice(0, 64);
      configurationSets.add(name);
      return { ref: name };
    },
  };
}
