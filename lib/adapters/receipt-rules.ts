import {
  AlreadyExistsException,
  CreateReceiptRuleCommand,
  DeleteReceiptRuleCommand,
  DescribeActiveReceiptRuleSetCommand,
  type ReceiptRule as SesRule,
  RuleSetDoesNotExistException,
  type SESClient,
  SetActiveReceiptRuleSetCommand,
  UpdateReceiptRuleCommand,
} from '@aws-sdk/client-ses';
import type { ReceiptRule, ReceiptRules } from '../core/activate-receiving.ts';

/** The rule sets of the client's Region. SES allows 1 request per second: the client has to retry throttling. */
export function receiptRules(ses: SESClient): ReceiptRules {
  return {
    async active() {
      const { Metadata, Rules = [] } = await ses.send(new DescribeActiveReceiptRuleSetCommand());
      if (Metadata?.Name === undefined) return undefined;
      return {
        name: Metadata.Name,
        rules: Rules.map((rule) => ({ name: rule.Name!, definition: { ...rule } })),
      };
    },
    async activate(set) {
      // Without a name SES uses no set at all.
      await ses.send(new SetActiveReceiptRuleSetCommand(set === undefined ? {} : { RuleSetName: set }));
    },
    async put(set, rule) {
      try {
        await ses.send(new CreateReceiptRuleCommand({ RuleSetName: set, Rule: sesRule(rule) }));
      } catch (error) {
        if (!(error instanceof AlreadyExistsException)) throw error;
        await ses.send(new UpdateReceiptRuleCommand({ RuleSetName: set, Rule: sesRule(rule) }));
      }
    },
    async remove(set, name) {
      try {
        await ses.send(new DeleteReceiptRuleCommand({ RuleSetName: set, RuleName: name }));
      } catch (error) {
        if (!(error instanceof RuleSetDoesNotExistException)) throw error;
      }
    },
  };
}

function sesRule({ name, definition }: ReceiptRule): SesRule {
  return { ...definition, Name: name };
}
