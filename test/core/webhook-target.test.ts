import { describe, expect, it } from 'vitest';
import { checkWebhookUrl } from '../../lib/core/webhook-target.ts';

const refused = expect.objectContaining({ code: 'validation_error' }) as Error;

describe('the URL of a webhook', () => {
  it.each([
    ['https://hooks.example.com/a?b=c', 'https://hooks.example.com/a?b=c'],
    ['https://Hooks.Example.COM', 'https://hooks.example.com/'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://[2606:4700:4700::1111]:8443/x', 'https://[2606:4700:4700::1111]:8443/x'],
    ['https://hooks.example.com.', 'https://hooks.example.com./'],
    ['https://locally.example.com/', 'https://locally.example.com/'],
  ])('%s is taken', (given, stored) => {
    expect(checkWebhookUrl(given, false)).toBe(stored);
    expect(checkWebhookUrl(given, true)).toBe(stored);
  });

  it.each([
    ...[
      '',
      'hooks.example.com',
      '//hooks.example.com',
      'https://',
      'https://exa mple.com',
      'https://a%00b.com',
    ],
    ...[
      'ftp://hooks.example.com',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'data:text/plain,x',
      'http://hooks.example.com',
      'wss://hooks.example.com',
    ],
    ...[
      'https://user@hooks.example.com',
      'https://user:pass@hooks.example.com',
      'https://:pass@hooks.example.com',
    ],
    ...[
      'https://intranet/',
      'https://metadata/',
      'https://router.local',
      'https://db.internal',
      'https://nas.home.arpa',
      'https://x.onion',
    ],
    ...['https://metadata.google.internal', 'https://metadata.google.internal.', 'https://router.local../'],
    ...[
      'https://0.0.0.0',
      'https://0',
      'https://10.0.0.1',
      'https://172.16.0.1',
      'https://192.168.1.1',
      'https://100.64.0.1',
      'https://169.254.169.254',
    ],
    ...[
      'https://192.0.0.8',
      'https://192.0.2.1',
      'https://198.18.0.1',
      'https://198.51.100.1',
      'https://203.0.113.1',
      'https://192.88.99.1',
      'https://224.0.0.1',
      'https://240.0.0.1',
      'https://255.255.255.255',
    ],
    ...[
      'https://167772161',
      'https://0xa000001',
      'https://012.0.0.1',
      'https://10.1',
      'https://0xa9fea9fe',
      'https://１０.0.0.1',
      'https://10。0。0。1',
    ],
    ...[
      'https://[::]',
      'https://[fe80::1]',
      'https://[fc00::1]',
      'https://[fd00:ec2::254]',
      'https://[ff02::1]',
      'https://[fec0::1]',
      'https://[100::1]',
    ],
    ...[
      'https://[::ffff:10.0.0.1]',
      'https://[::ffff:a00:1]',
      'https://[::10.0.0.1]',
      'https://[::a00:1]',
      'https://[::ffff:0:10.0.0.1]',
      'https://[64:ff9b::a00:1]',
      'https://[64:ff9b:1::a00:1]',
      'https://[2002:a00:1::]',
      'https://[2001::1]',
      'https://[2001:db8::1]',
      'https://[3fff::1]',
      'https://[5f00::1]',
    ],
  ])('%s is refused, loopback allowed or not', (given) => {
    expect(() => checkWebhookUrl(given, false)).toThrowError(refused);
    expect(() => checkWebhookUrl(given, true)).toThrowError(refused);
  });

  it.each([
    'http://localhost:3000/x',
    'http://127.0.0.1:3000/',
    'https://127.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://[::1]:3000/',
    'http://[::ffff:127.0.0.1]/',
    'http://127.255.0.9/',
    'https://localhost/',
  ])('%s is taken only where loopback is allowed', (given) => {
    expect(checkWebhookUrl(given, true)).toMatch(/^https?:/);
    expect(() => checkWebhookUrl(given, false)).toThrowError(refused);
    expect(() => checkWebhookUrl(given.replace('://', '://user@'), true)).toThrowError(refused);
  });

  it('never takes http to a host that only looks like loopback', () => {
    for (const given of [
      'http://localhost.example.com',
      'http://127.0.0.1.example.com',
      'http://a.localhost',
    ])
      expect(() => checkWebhookUrl(given, true)).toThrowError(refused);
  });
});
