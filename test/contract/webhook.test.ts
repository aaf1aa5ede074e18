import { describe, expect, it } from 'vitest';
import { updateWebhookHeaders, webhookHeaders } from '../../lib/contract/webhook-headers.ts';
import * as webhook from '../../lib/contract/webhook.ts';

const whole = { url: 'https://hooks.example.com', event_types: ['message.received'] };
const takes = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('the body of a new webhook', () => {
  it('has at least one event type, each once, also those that do not occur yet', () => {
    const { createWebhook } = webhook;
    for (const event_types of [undefined, [], ['nothing.happened'], 'message.received'])
      expect(takes(createWebhook, { ...whole, event_types })).toBe(false);
    const event_types = ['message.sent', 'domain.verified', 'message.sent', 'inbox.expiring'];
    expect(createWebhook.parse({ ...whole, event_types }).event_types).toEqual([
      'message.sent',
      'domain.verified',
      'inbox.expiring',
    ]);
  });

  it('names no pod below a pod, and no inbox below an inbox', () => {
    const named = { inbox_ids: ['a@b.test'], pod_ids: ['pod_1'] };
    expect(takes(webhook.createWebhook, { ...whole, ...named })).toBe(true);
    for (const [name, value] of Object.entries(named)) {
      expect(takes(webhook.createPodWebhook, { ...whole, [name]: value })).toBe(name === 'inbox_ids');
      expect(takes(webhook.createInboxWebhook, { ...whole, [name]: value })).toBe(false);
      for (const verb of ['add', 'remove']) {
        const change = { [`${verb}_${name}`]: value };
        expect(takes(webhook.updateWebhook, change)).toBe(true);
        expect(takes(webhook.updatePodWebhook, change)).toBe(name === 'inbox_ids');
        expect(takes(webhook.updateInboxWebhook, change)).toBe(false);
      }
    }
    for (const schema of [webhook.updateWebhook, webhook.updatePodWebhook, webhook.updateInboxWebhook])
      for (const change of [{}, { event_types: [] }, { enabled: true }])
        expect(takes(schema, change)).toBe(true);
  });

  it('names at most ten, and has a client id that fits a path', () => {
    const many = Array.from({ length: 11 }, (_, n) => `a${n}@b.test`);
    expect(takes(webhook.createWebhook, { ...whole, inbox_ids: many })).toBe(false);
    expect(takes(webhook.createWebhook, { ...whole, inbox_ids: many.slice(1) })).toBe(true);
    expect(takes(webhook.createWebhook, { ...whole, client_id: 'a/b' })).toBe(false);
  });
});

it('a list leaves out the secret', () => {
  const shown = {
    ...{
      webhook_id: 'wh_1',
      organization_id: 'org_1',
      url: 'https://x.test',
      secret: 'whsec_x',
      enabled: true,
    },
    ...{ updated_at: 'x', created_at: 'x' },
  };
  expect(JSON.stringify(webhook.webhookList.parse({ count: 1, webhooks: [shown] }))).not.toContain('whsec');
  expect(webhook.webhook.parse(shown).secret).toBe('whsec_x');
});

describe('headers', () => {
  it.each([
    ['Host', 'x'],
    ['content-length', '1'],
    ['Content-Type', 'text/plain'],
    ['content-encoding', 'gzip'],
    ['connection', 'close'],
    ['Transfer-Encoding', 'chunked'],
    ['user-agent', 'x'],
    ['webhook-signature', 'v1,x'],
    ['Webhook-Anything', 'x'],
    ['svix-id', 'x'],
    ['Proxy-Authorization', 'x'],
    ['te', 'trailers'],
    ['', 'x'],
    ['a b', 'x'],
    ['a:', 'x'],
    ['a\r\nb', 'x'],
    ['ü', 'x'],
    ['x'.repeat(129), 'x'],
    ['x-token', ''],
    ['x-token', ' a'],
    ['x-token', 'a '],
    ['x-token', 'a\r\nHost: b'],
    ['x-token', 'a\nb'],
    ['x-token', 'a\0b'],
    ['x-token', 'ü'],
    ['x-token', 'x'.repeat(4097)],
    ['x-token', 7],
  ])('%s: %s is refused', (name, value) => {
    expect(takes(webhookHeaders, { [name]: value })).toBe(false);
  });

  it.each([
    ['Authorization', 'Bearer abc'],
    ['X-Token', 'a\tb c'],
    ["x!#$%&'*+.^_`|~-1", '"x"'],
    ['x-webhook-token', 'a'],
  ])('%s: %s is taken', (name, value) => {
    expect(webhookHeaders.parse({ [name]: value })).toEqual({ [name]: value });
  });

  it('are some, at most twenty and 8 KB, each name once', () => {
    const many = (count: number, value = 'x') =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, value]));
    expect([0, 1, 20, 21].map((count) => takes(webhookHeaders, many(count)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(takes(webhookHeaders, many(2, 'x'.repeat(4096)))).toBe(false);
    expect(takes(webhookHeaders, { 'X-A': '1', 'x-a': '2' })).toBe(false);
  });

  it('are changed by at least one, and none is set and removed at once', () => {
    const changes: [unknown, boolean][] = [
      [{}, false],
      [{ headers: {} }, false],
      [{ remove_headers: [] }, false],
      [{ remove_headers: ['x-a'] }, true],
      [{ headers: { 'X-A': '1' }, remove_headers: ['x-b'] }, true],
      [{ headers: { 'X-A': '1' }, remove_headers: ['x-a'] }, false],
    ];
    for (const [change, taken] of changes)
      expect(takes(updateWebhookHeaders, change), JSON.stringify(change)).toBe(taken);
  });
});
