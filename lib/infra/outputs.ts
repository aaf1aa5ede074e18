import { Aws, CfnOutput, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import type { Config } from './config.ts';
import type { LedgerExport } from './ledger-export.ts';
import type { MailDomain } from './mail-domain.ts';
import type { MailIntake } from './mail-intake.ts';

interface Parts {
  config: Config;
  api: Api;
  domain: MailDomain;
  intake: MailIntake;
  ledgerExport: LedgerExport;
}

/** What a person needs after a deploy, and what only a person can do. */
export class Outputs extends Construct {
  constructor(scope: Construct, id: string, { config, api, domain, intake, ledgerExport }: Parts) {
    super(scope, id);
    const origin = config.publicOrigins?.[0] ?? api.http.apiEndpoint;
    this.#say('ApiOrigin', 'Base URL of the API, without /v0', origin);
    this.#say('MailDomain', 'Addresses on this domain need no setup', config.mailDomain);
    this.#say('ReceivingRegion', 'Mail is received here; the MX records point to it', Aws.REGION);
    this.#say(
      'FirstOrganization',
      'Run this with AWS credentials that may execute-api:Invoke',
      firstCall(api),
    );
    this.#say(
      'LeaveSandbox',
      'A new SES account mails only verified addresses; run this to ask for more (a person at AWS answers)',
      `aws sesv2 put-account-details --region ${Aws.REGION} --production-access-enabled --mail-type TRANSACTIONAL ` +
        `--contact-language EN --website-url https://${config.mailDomain}`,
    );
    this.#say(
      'LedgerBucket',
      'The ledger is exported here; it stays when the stack is deleted',
      ledgerExport.bucket.bucketName,
    );
    if (!config.hostedZone) {
      this.#say(
        'DnsRecords',
        'Create these at your DNS host; without the MX records no mail arrives',
        Stack.of(this).toJsonString(domain.records),
      );
    }
    if (config.activateReceiving === 'off') {
      this.#say(
        'ActivateReceiving',
        'No mail arrives before the rule set is active; this replaces the one that is active now',
        `aws ses set-active-receipt-rule-set --region ${Aws.REGION} --rule-set-name ${intake.ruleSet.ref}`,
      );
    }
  }

  #say(name: string, description: string, value: string): void {
    new CfnOutput(this, name, { description, value }).overrideLogicalId(name);
  }
}

// IAM looks at the API's own endpoint, whatever origins stand in front of it.
function firstCall({ http }: Api): string {
  return (
    `curl --aws-sigv4 aws:amz:${Aws.REGION}:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" ` +
    `-H "x-amz-security-token: $AWS_SESSION_TOKEN" -H "content-type: application/json" ` +
    `-d '{"name":"my organization"}' ${http.apiEndpoint}/v0/operator/organizations`
  );
}
