import { describe, expect, it } from 'vitest';
import { checkedAddresses, isPublicAddress, mayConnect } from '../../lib/core/public-address.ts';

const notPublic = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
  ...['169.254.169.254', '169.254.170.2', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1'],
  ...[
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
  ],
  // Other spellings of IPv4: decimal, octal, hexadecimal, short.
  ...[
    '2130706433',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '127.1',
    '10.1',
    '08.8.8.8',
    '8.8.8',
    '1.1.1.01',
  ],
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1'],
  // IPv4 inside IPv6: mapped, compatible, translated (RFC 6052, RFC 8215), 6to4, Teredo; also of public ones.
  ...[
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:0:127.0.0.1',
  ],
  ...['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::7f00:1', '2002:7f00:1::', '2002:0808:0808::1'],
  ...['2001:0:7f00:1::', '100::1', '2001:10::1', '4000::1', '5f00::1', 'e000::1'],
  ...['', 'localhost', '1.2.3.4.5', '999.1.1.1', '1.2.3.4/8', '[::1]'],
  ...[
    '10.1.2.3',
    '192.168.0.1',
    '192.0.0.8',
    '2002:a00:1::',
    '::ffff:808:808',
    '64:ff9b::10.0.0.1',
    '::ffff:169.254.169.254',
    '::10.0.0.1',
  ],
];
/** Of those, this machine. */
const loopback = [
  ...['127.0.0.1', '127.9.9.9', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1'],
  // Other spellings of it, which a URL has no more when it was parsed.
  ...['2130706433', '0177.0.0.1', '0x7f.0.0.1', '0x7f000001', '127.1'],
];

describe('an address that anybody may name', () => {
  it.each(notPublic)('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '93.184.216.34',
    '100.63.255.255',
    '172.32.0.1',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('may be %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
    expect(mayConnect(address, false)).toBe(true);
    expect(mayConnect(address, true)).toBe(true);
  });

  it.each(notPublic)('is not connected to as %s', (address) => {
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(loopback.includes(address));
  });

  it.each(loopback)('is connected to as %s only on this machine', (address) => {
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(true);
  });

  const rules = (answers: string[], allowLoopback = false) => ({
    resolve: () => Promise.resolve(answers),
    allowLoopback,
  });

  it('is every one a name has, IPv4 first', async () => {
    expect(await checkedAddresses('hook.test', rules(['2606:4700::1', '8.8.8.8']))).toEqual([
      '8.8.8.8',
      '2606:4700::1',
    ]);
  });

  it.each(notPublic.filter((address) => address !== ''))(
    'condemns a name that also leads to %s',
    async (address) => {
      await expect(checkedAddresses('hook.test', rules(['8.8.8.8', address]))).rejects.toThrow(
        'not a public address',
      );
    },
  );

  it('is none of a name without addresses', async () => {
    await expect(checkedAddresses('hook.test', rules([]))).rejects.toThrow('no address');
  });

  it('may be literal, and is not asked of DNS then', async () => {
    const never = { resolve: () => Promise.reject(new Error('asked')), allowLoopback: false };
    expect(await checkedAddresses('8.8.8.8', never)).toEqual(['8.8.8.8']);
    expect(await checkedAddresses('[2606:4700::1]', never)).toEqual(['2606:4700::1']);
    await expect(checkedAddresses('[::ffff:127.0.0.1]', never)).rejects.toThrow('not a public');
    await expect(checkedAddresses('127.0.0.1', never)).rejects.toThrow('not a public');
  });

  it('is this machine only where that is allowed, and nothing else of the kind', async () => {
    expect(await checkedAddresses('localhost', rules([], true))).toEqual(['127.0.0.1', '::1']);
    expect(await checkedAddresses('127.0.0.1', rules([], true))).toEqual(['127.0.0.1']);
    await expect(checkedAddresses('localhost', rules([]))).rejects.toThrow('no address');
    for (const address of ['10.0.0.1', '169.254.169.254', '::ffff:10.0.0.1'])
      await expect(checkedAddresses('hook.test', rules([address], true))).rejects.toThrow('not a public');
  });
});
