import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { signWebhook } from '../../lib/adapters/webhook-signature.ts';

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const [fresh, old, foreign] = [secretOf(1), secretOf(2), secretOf(3)];
const said = (body = '{"type":"event","é":"✉"}') => ({
  id: 'evt_01jk',
  seconds: Math.floor(Date.now() / 1000),
  body,
});

describe.each([
  ['svix', (secret: string) => new SvixWebhook(secret)],
  ['standardwebhooks', (secret: string) => new StandardWebhook(secret)],
])('%s', (_, receiver) => {
  it('verifies a signature', () => {
    const { body, ...about } = said();
    expect(receiver(fresh).verify(body, signWebhook([fresh], { body, ...about }))).toEqual(JSON.parse(body));
  });

  it('verifies with either secret while both sign', () => {
    const { body, ...about } = said();
    const headers = signWebhook([fresh, old], { body, ...about });
    for (const secret of [fresh, old]) expect(() => receiver(secret).verify(body, headers)).not.toThrow();
    expect(() => receiver(foreign).verify(body, headers)).toThrow();
  });

  it('refuses another body, another time and another id', () => {
    const about = said();
    const headers = signWebhook([fresh], about);
    const verify = (body: string, changed: Record<string, string>) => () =>
      receiver(fresh).verify(body, { ...headers, ...changed });
    const changed = (name: string, value: string) => ({
      [`webhook-${name}`]: value,
      [`svix-${name}`]: value,
    });
    expect(verify(`${about.body} `, {})).toThrow();
    expect(verify(about.body, changed('timestamp', String(about.seconds + 1)))).toThrow();
    expect(verify(about.body, changed('id', 'evt_02'))).toThrow();
    expect(verify(about.body, {})).not.toThrow();
  });
});

it('names the same values for both families of headers', () => {
  const headers = signWebhook([fresh], said());
  expect(Object.keys(headers)).toEqual([
    ...['webhook-id', 'webhook-timestamp', 'webhook-signature'],
    ...['svix-id', 'svix-timestamp', 'svix-signature'],
  ]);
  expect(headers['svix-signature']).toBe(headers['webhook-signature']);
});
