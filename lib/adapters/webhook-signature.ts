import { createHmac } from 'node:crypto';
import type { SignWebhook } from '../core/deliver-webhook.ts';

const prefix = 'whsec_';

/**
 * The headers of Standard Webhooks, under its own names and under those of Svix, which AgentMail's receivers know. Each
 * secret gives a `v1` signature: the base64 HMAC-SHA256 of id, time and body, joined by dots.
 */
export const signWebhook: SignWebhook = (secrets, { id, seconds, body }) => {
  const signature = secrets
    .map((secret) => createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64'))
    .map((text) => `v1,${text}`)
    .join(' ');
  const values = { id, timestamp: String(seconds), signature };
  return Object.fromEntries(
    ['webhook', 'svix'].flatMap((family) =>
      Object.entries(values).map(([name, value]) => [`${family}-${name}`, value]),
    ),
  );
};

function keyOf(secret: string): Buffer {
  if (!secret.startsWith(prefix)) throw new Error(`the secret of a webhook begins with ${prefix}`);
  return Buffer.from(secret.slice(prefix.length), 'base64');
}
