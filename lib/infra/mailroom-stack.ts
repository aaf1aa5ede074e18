import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Activation } from './activation.ts';
import { Alarms } from './alarms.ts';
import { Announce } from './announce.ts';
import { Api } from './api.ts';
import { Canary } from './canary.ts';
import type { Config } from './config.ts';
import { DeployRules } from './deploy-rules.ts';
import { Due } from './due.ts';
import { Ledger } from './ledger.ts';
import { LedgerExport } from './ledger-export.ts';
import { MailDomain } from './mail-domain.ts';
import { MailIntake } from './mail-intake.ts';
import { MailStore } from './mail-store.ts';
import { Outputs } from './outputs.ts';
import { Removal } from './removal.ts';
import { Webhooks } from './webhooks.ts';
import { WorkQueues } from './work-queues.ts';

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
    const work = new WorkQueues(this, 'work');
    const announce = new Announce(this, 'announce', config, store, work);
    const ledger = new Ledger(this, 'ledger', config, store);
    const ledgerExport = new LedgerExport(this, 'ledger-export', config, store);
    const removal = new Removal(this, 'removal', config, store, work.removals.queue);
    const webhooks = new Webhooks(this, 'webhooks', config, store, announce, work);
    const due = new Due(this, 'due', config, store);
    const canary =
      config.canaryMinutes === 0
        ? undefined
        : new Canary(this, 'canary', config, { store, domain, announce });
    new Alarms(this, 'alarms', {
      config,
      functions: [
        intake.function,
        api.api,
        api.operator,
        api.health,
        announce.function,
        ledger.function,
        ledgerExport.function,
        removal.function,
        webhooks.fanOut,
        webhooks.deliver,
        due.function,
        ...activation.map((one) => one.function),
        ...(canary ? [canary.send, canary.hear] : []),
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
        'fan-out-webhooks': {
          queue: webhooks.deadLetters,
          impact: 'Webhooks did not hear of some events; the events are in the log of their inbox.',
        },
        'deliver-webhook': {
          queue: work.deliveries.deadLetters,
          impact: 'Some webhooks were not tried when they were due; the deliveries stand in their log.',
        },
        'remove-inbox': {
          queue: work.removals.deadLetters,
          impact: 'Mail of inboxes that were taken down is still stored; nobody can read it.',
        },
        'seal-ledger': {
          queue: ledger.deadLetters,
          impact: 'Some lines of the ledger have no seal; a verification shows them as inserted.',
        },
      },
      http: api.http,
      intakeQueue: intake.queue,
      fanOutQueue: webhooks.queue,
      deliveryQueue: work.deliveries.queue,
      publisher: announce.function,
      clockwork: due.function,
      exporter: ledgerExport.function,
      canary: canary?.hear,
    });
    new Outputs(this, 'outputs', { config, api, domain, intake, ledgerExport });
    // The local cloud deploys nowhere.
    if (config.stage !== 'local') new DeployRules(this, 'rules', config);
  }
}
