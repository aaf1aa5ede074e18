import { expect, it } from 'vitest';
import { schemaFile, webhooksSchema } from './webhooks-schema.ts';

it('docs/webhooks.schema.json is what the contract says', async () => {
  await expect(await webhooksSchema()).toMatchFileSnapshot(`../../${schemaFile}`);
});
