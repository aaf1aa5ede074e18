import { setTimeout as wait } from 'node:timers/promises';
import {
  AlreadyExistsException,
  CreateReceiptRuleCommand,
  DeleteReceiptRuleCommand,
  DescribeActiveReceiptRuleSetCommand,
  type ReceiptRule as SesRule,
  RuleSetDoesNotExistException,
  SESClient,
  SetActiveReceiptRuleSetCommand,
  UpdateReceiptRuleCommand,
} from '@aws-sdk/client-ses';
import type { ReceiptRule, ReceiptRules } from '../core/activate-receiving.ts';

/**
 * SES takes 1 request per second in an account and Region, from everybody together: calls keep that distance, and where
 * others call too, throttling is retried patiently.
 */
function patientClient(): SESClient {
  const ses = new SESClient({ maxAttempts: 12 });
  let free = 0;
  const keepDistance = async (): Promise<void> => {
    await wait(Math.max(0, free - Date.now()));
    free = Date.now() + 1_010;
  };
  ses.middlewareStack.add(
    (next) => async (call) => {
      await keepDistance();
      return next(call);
    },
    { step: 'initialize', name: 'oneRequestASecond' },
  );
  return ses;
}

/** The rule sets of the client's Region. */
export function receiptRules(ses = patientClient()): ReceiptRules {
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
