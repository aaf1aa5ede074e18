import { Aws, CfnRule, Fn } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Config } from './config.ts';
import { receivingRegions } from './receiving-regions.ts';

// RFC 2606 and RFC 6761: nobody can receive mail there.
const reserved = /(^|\.)(test|example|invalid|localhost|local)$|(^|\.)example\.(com|net|org)$/;

/** What CloudFormation refuses before it makes anything, with the reason. */
export class DeployRules extends Construct {
  constructor(scope: Construct, id: string, { mailDomain }: Config) {
    super(scope, id);
    // The Region is often known only when the template is deployed.
    new CfnRule(this, 'region', {
      assertions: [
        {
          assert: Fn.conditionContains([...receivingRegions], Aws.REGION),
          assertDescription: `SES does not receive mail in this Region. Deploy to one of: ${receivingRegions.join(', ')}`,
        },
      ],
    });
    if (!reserved.test(mailDomain)) return;
    new CfnRule(this, 'mail-domain', {
      assertions: [
        {
          assert: Fn.conditionEquals(mailDomain, ''),
          assertDescription: `${mailDomain} is reserved and cannot receive mail. Deploy with -c mailDomain=mail.your-domain`,
        },
      ],
    });
  }
}
