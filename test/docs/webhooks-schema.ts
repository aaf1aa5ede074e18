import { format, resolveConfig } from 'prettier';
import * as z from 'zod';
import { announced } from '../../lib/contract/event.ts';
import { webhookPayloads } from '../../lib/contract/webhook-payload.ts';

export const schemaFile = 'docs/webhooks.schema.json';

/** docs/webhooks.schema.json: what a webhook receives of each type, open for members to come. */
export async function webhooksSchema(): Promise<string> {
  const $defs = Object.fromEntries(
    announced.map((type) => {
      const { $schema: _, ...schema } = z.toJSONSchema(webhookPayloads[type], {
        io: 'output',
        override: ({ jsonSchema }) => {
          if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
        },
      });
      return [type, schema];
    }),
  );
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What a webhook of Posthorn receives',
    oneOf: announced.map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs,
  };
  return format(JSON.stringify(whole), { ...(await resolveConfig(schemaFile)), parser: 'json' });
}
