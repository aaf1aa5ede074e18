import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Activation } from './activation.ts';
import { Alarms } from './alarms.ts';
import { Announce } from './announce.ts';
import { Api } from './api.ts';
import type { Config } from './config.ts';
import { DeployRules } from './deploy-rules.ts';
import { Due } from './due.ts';
import { Ledger } from './ledger.ts';
import { MailDomain } from './mail-domain.ts';
import { MailIntake } from './mail-intake.ts';
import { MailStore } from './mail-store.ts';
import { Outputs } from './outputs.ts';

/** The whole mailroom. */
export class MailroomStack extends Stack {
  constructor(scope: Construct, config: Config, props: StackProps) {
    super(scope, config.stackName, { description: 'Posthorn: a mailroom for AI agents', ...props });
    const store = new MailStore(this, 'store', config);
    const domain = new MailDomain(this, 'domain', config);
    const intake = new MailIntake(this, 'intake', config, store);
    const activation =
      config.activateReceiving === 'off' ? [] : [new Activation(this, 'activation', config, intake)];
    const api = new Api(this, 'api', config, store, domain);
    const announce = new Announce(this, 'announce', config, store);
    const ledger = new Ledger(this, 'ledger', config, store);
    const due = new Due(this, 'due', config, store);
    new Alarms(this, 'alarms', {
      config,
      functions: [
        intake.function,
        api.api,
        api.operator,
        api.health,
        announce.function,
        ledger.function,
        due.function,
        ...activation.map((one) => one.function),
      ],
      deadLetters: {
        'receive-mail': {
          queue: intake.deadLetters,
          impact:
            'Mail that could not be taken in is not in its inbox; it is kept in the bucket and can be tried again.',
        },
        'publish-event': {
          queue: announce.deadLetters,
          impact: 'Subscribers did not hear of some changes; the events are in the log of their inbox.',
        },
        'seal-ledger': {
          queue: ledger.deadLetters,
          impact: 'Some lines of the ledger have no seal; a verification shows them as inserted.',
        },
      },
      http: api.http,
      intakeQueue: intake.queue,
      publisher: announce.function,
      clockwork: due.function,
    });
    new Outputs(this, 'outputs', { config, api, domain, intake });
    // The local cloud deploys nowhere.
    if (config.stage !== 'local') new DeployRules(this, 'rules', config);
  }
}
