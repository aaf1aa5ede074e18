import { AlreadyExistsException, RuleSetDoesNotExistException, type SESClient } from '@aws-sdk/client-ses';
import { describe, expect, it } from 'vitest';
import { receiptRules } from '../../lib/adapters/receipt-rules.ts';

/** A client that answers by command name and keeps what it was asked. */
function client(answers: Record<string, unknown>) {
  const sent: [name: string, input: unknown][] = [];
  const send = async (command: { constructor: { name: string }; input: unknown }) => {
    sent.push([command.constructor.name, command.input]);
    const answer = answers[command.constructor.name] ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { sent, ses: { send } as unknown as SESClient };
}
const rule = { name: 'r', definition: { Name: 'r', Enabled: true } };

describe('receipt rules of SES', () => {
  it('reads the active set, and none', async () => {
    const Rules = [{ Name: 'r', Enabled: true }];
    const some = client({ DescribeActiveReceiptRuleSetCommand: { Metadata: { Name: 's' }, Rules } });
    expect(await receiptRules(some.ses).active()).toEqual({ name: 's', rules: [rule] });
    expect(await receiptRules(client({}).ses).active()).toBeUndefined();
  });

  it('activates by name, and turns receiving off without one', async () => {
    const { ses, sent } = client({});
    await receiptRules(ses).activate('s');
    await receiptRules(ses).activate(undefined);
    expect(sent.map(([, input]) => input)).toEqual([{ RuleSetName: 's' }, {}]);
  });

  it('updates a rule that is there already', async () => {
    const there = new AlreadyExistsException({ message: 'there', $metadata: {} });
    const { ses, sent } = client({ CreateReceiptRuleCommand: there });
    await receiptRules(ses).put('s', rule);
    expect(sent.at(-1)).toEqual(['UpdateReceiptRuleCommand', { RuleSetName: 's', Rule: rule.definition }]);
  });

  it('does not mind that the set of a rule to remove is gone, but minds the rest', async () => {
    const gone = new RuleSetDoesNotExistException({ message: 'gone', $metadata: {} });
    await receiptRules(client({ DeleteReceiptRuleCommand: gone }).ses).remove('s', 'r');
    const broken = receiptRules(client({ DeleteReceiptRuleCommand: new Error('broken') }).ses);
    await expect(broken.remove('s', 'r')).rejects.toThrow('broken');
  });
});
