import * as z from 'zod';
import { receiptRules } from '../../lib/adapters/receipt-rules.ts';
import { activateReceiving, stopReceiving } from '../../lib/core/activate-receiving.ts';
import { type CustomResourceRequest, customResourceDoor } from '../../lib/edge/custom-resource.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { env } from './env.ts';

readEnv(env);
const rules = receiptRules();
const activate = activateReceiving({ rules });
const stop = stopReceiving({ rules });

const properties = z.object({
  RuleSetName: z.string(),
  RulePrefix: z.string(),
  Policy: z.enum(['create', 'adopt']),
  Rule: z.string().transform((json) => z.looseObject({ Name: z.string() }).parse(JSON.parse(json))),
});

// The physical id says where the rule is in use.
const idPrefix = 'receiving-in:';

export const handler = customResourceDoor(async (request: CustomResourceRequest) => {
  const {
    RuleSetName: set,
    RulePrefix: prefix,
    Policy: policy,
    Rule,
  } = properties.parse(request.ResourceProperties);
  const rule = { name: Rule.Name, definition: Rule };
  const id = request.PhysicalResourceId;
  if (request.RequestType === 'Delete') {
    await stop({ set, rule, prefix, ...(id?.startsWith(idPrefix) && { place: id.slice(idPrefix.length) }) });
    return id!;
  }
  const former = z.string().optional().parse(request.OldResourceProperties?.['RuleSetName']);
  return idPrefix + (await activate({ set, rule, policy, ...(former !== undefined && { former }) }));
});
