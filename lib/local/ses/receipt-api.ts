import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { XmlContent } from '../xml-element.ts';
import { members } from '../query-protocol.ts';
import { checkedRule, receiptRule, type ReceiptRule, type RuleSet } from './receipt-rule.ts';
import type { RuleStore } from './rule-store.ts';

type Result = { [name: string]: XmlContent };
interface Deps {
  rules: RuleStore;
  /** SES's test write and test notice. */
  tryRule(set: string, rule: ReceiptRule): Promise<void>;
}

const setName = z.object({ RuleSetName: z.string() });
const ruleName = z.object({ RuleSetName: z.string(), RuleName: z.string() });
/** The query protocol writes an empty list as an empty text. */
const filledLists = (rule: unknown) =>
  Object.fromEntries(
    Object.entries(rule ?? {}).map(([name, value]) =>
      ['Recipients', 'Actions'].includes(name) && value === '' ? [name, []] : [name, value],
    ),
  );
const newRule = z.object({
  RuleSetName: z.string(),
  After: z.string().optional(),
  Rule: z.preprocess(filledLists, receiptRule),
});

/** The receiving actions of SES's first API, by their name in the request. */
export const receiptActions = {
  DescribeActiveReceiptRuleSet: ({ rules }) => description(rules.active()),
  SetActiveReceiptRuleSet: ({ rules }, input) => {
    rules.activate(parse(z.object({ RuleSetName: z.string().optional() }), input).RuleSetName);
    return {};
  },
  DescribeReceiptRuleSet: ({ rules }, input) => description(rules.get(parse(setName, input).RuleSetName)),
  ListReceiptRuleSets: ({ rules }) => ({ RuleSets: members(rules.list().map(metadata)) }),
  CreateReceiptRuleSet: ({ rules }, input) => {
    rules.create(parse(setName, input).RuleSetName);
    return {};
  },
  CloneReceiptRuleSet: ({ rules }, input) => {
    const names = parse(z.object({ RuleSetName: z.string(), OriginalRuleSetName: z.string() }), input);
    rules.create(names.RuleSetName, rules.get(names.OriginalRuleSetName).Rules);
    return {};
  },
  DeleteReceiptRuleSet: ({ rules }, input) => {
    rules.delete(parse(setName, input).RuleSetName);
    return {};
  },
  DescribeReceiptRule: ({ rules }, input) => {
    const names = parse(ruleName, input);
    return { Rule: ruleContent(rules.rule(names.RuleSetName, names.RuleName)) };
  },
  CreateReceiptRule: async ({ rules, tryRule }, input) => {
    const { RuleSetName, After, Rule } = parse(newRule, input);
    rules.get(RuleSetName);
    const rule = checkedRule(Rule);
    await tryRule(RuleSetName, rule);
    rules.addRule(RuleSetName, rule, After);
    return {};
  },
  UpdateReceiptRule: async ({ rules, tryRule }, input) => {
    const { RuleSetName, Rule } = parse(newRule.omit({ After: true }), input);
    const rule = checkedRule(Rule);
    rules.rule(RuleSetName, rule.Name);
    await tryRule(RuleSetName, rule);
    rules.updateRule(RuleSetName, rule);
    return {};
  },
  DeleteReceiptRule: ({ rules }, input) => {
    const names = parse(ruleName, input);
    rules.deleteRule(names.RuleSetName, names.RuleName);
    return {};
  },
} satisfies Record<string, (deps: Deps, input: unknown) => Result | Promise<Result>>;

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new AwsError('ValidationError', z.prettifyError(parsed.error));
}

const metadata = ({ Name, CreatedTimestamp }: RuleSet): XmlContent => ({ Name, CreatedTimestamp });

const description = (set: RuleSet | undefined): Result =>
  set === undefined ? {} : { Metadata: metadata(set), Rules: members(set.Rules.map(ruleContent)) };

function ruleContent(rule: ReceiptRule): XmlContent {
  const { Name, Enabled, TlsPolicy, ScanEnabled } = rule;
  const actions = rule.Actions.map(({ S3Action }) => ({ S3Action: { ...S3Action } }));
  return {
    Name,
    Enabled,
    TlsPolicy,
    Recipients: members(rule.Recipients),
    Actions: members(actions),
    ScanEnabled,
  };
}
