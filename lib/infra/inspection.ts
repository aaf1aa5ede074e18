import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

/**
 * Makes synthesis fail on what cdk-nag's AwsSolutions pack finds. Acknowledged findings stand with their reason
 * beside the construct they concern. Apart from the rest of infra, because loading the pack takes half a second.
 */
export function inspect(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
