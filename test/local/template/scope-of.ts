import type { Deployed } from '../../../lib/local/cloud.ts';
import { deployScope } from '../../../lib/local/template/deploy-scope.ts';
import type { Scope } from '../../../lib/local/template/intrinsics.ts';
import { parseTemplate } from '../../../lib/local/template/template.ts';

export const place = {
  stackName: 'posthorn',
  stackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/posthorn/1',
  account: '000000000000',
  region: 'us-east-1',
};

/** The names in sight of a template whose given resources are deployed. */
export function scopeOf(template: object, deployed: Record<string, Deployed> = {}): Scope {
  return deployScope(parseTemplate({ Resources: {}, ...template }), place, new Map(Object.entries(deployed)));
}
