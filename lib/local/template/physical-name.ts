import { createHash } from 'node:crypto';

interface NameRule {
  max: number;
  lowerCase?: boolean;
}

/** Longest name each service takes, by the second part of the resource type or the whole type. */
const rules: Record<string, NameRule> = {
  'AWS::S3::Bucket': { max: 63, lowerCase: true },
  'AWS::SQS::Queue': { max: 80 },
  'AWS::SNS::Topic': { max: 256 },
  'AWS::Lambda::Function': { max: 64 },
  'AWS::IAM::Role': { max: 64 },
  'AWS::IAM::Policy': { max: 128 },
  'AWS::IAM::ManagedPolicy': { max: 128 },
  'AWS::DynamoDB::Table': { max: 255 },
  'AWS::DynamoDB::GlobalTable': { max: 255 },
  'AWS::Events::Rule': { max: 64 },
  'AWS::Events::EventBus': { max: 256 },
  'AWS::SES::ReceiptRuleSet': { max: 64 },
  'AWS::SES::ReceiptRule': { max: 64 },
  'AWS::SES::ConfigurationSet': { max: 64 },
};

/**
 * The name CloudFormation would make up: stack, logical id and a suffix, shortened to the service's limit.
 * The suffix depends on the home's seed only, so that a restart finds the same resource. `ending` stays last
 * (`.fifo`).
 */
export function physicalName(
  stack: string,
  logicalId: string,
  type: string,
  seed: string,
  ending = '',
): string {
  const { max, lowerCase = false } = rules[type] ?? { max: 64 };
  const digest = createHash('sha256').update(`${seed}/${logicalId}`).digest();
  const suffix = Array.from(digest.subarray(0, 12), (byte) => alphabet[byte % alphabet.length]).join('');
  const room = max - suffix.length - ending.length - 1;
  const forStack = Math.min(stack.length, Math.max(room - logicalId.length - 1, Math.floor(room / 2)));
  const prefix = `${stack.slice(0, forStack)}-${logicalId}`.slice(0, room);
  const name = `${prefix}-${suffix}${ending}`;
  return lowerCase ? name.toLowerCase() : name;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
