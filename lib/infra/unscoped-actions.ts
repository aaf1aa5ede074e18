/**
 * The only actions granted on `*`: AWS defines no resource type for them. Each stands alone in its statement
 * and belongs to one small function, `activate-receiving`.
 */
export const unscopedActions = {
  describe: 'ses:DescribeActiveReceiptRuleSet',
  activate: 'ses:SetActiveReceiptRuleSet',
  create: 'ses:CreateReceiptRule',
  update: 'ses:UpdateReceiptRule',
  remove: 'ses:DeleteReceiptRule',
} as const;
