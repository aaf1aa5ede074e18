import { describe, expect, it } from 'vitest';
import { address, setUp } from './posthorn-shell.ts';

/** Runs commands and says which call each of them was. */
function scene() {
  const { posthorn, mailroom } = setUp();
  const done = async (...args: string[]) => {
    const { code, err, out } = await posthorn(['webhooks', ...args]);
    expect([code, err], args.join(' ')).toEqual([0, '']);
    const { name, call } = mailroom.calls.at(-1)!;
    const { path = {}, query = {}, body } = call as { path?: object; query?: object; body?: unknown };
    return { name, path, query, body, out };
  };
  const refused = async (...args: string[]) => {
    const { code, out, err } = await posthorn(['webhooks', ...args]);
    expect([code, out, mailroom.calls.length], args.join(' ')).toEqual([2, '', 0]);
    return err;
  };
  return { posthorn, done, refused };
}
const url = 'https://hooks.example.com/in';

describe('posthorn webhooks create', () => {
  it('sends what the options say', async () => {
    const { done } = scene();
    const made = await done('create', url, '--event', 'message.received', 'inbox.created');
    expect(made).toMatchObject({
      name: 'webhooks.create',
      body: { url, event_types: ['message.received', 'inbox.created'] },
    });
    expect(JSON.parse(made.out)).toMatchObject({ webhook_id: 'wh_1', secret: 'whsec_c2VjcmV0' });
    const whole = [
      ...['create', url, '--event', 'message.received', '--client-id', 'mine'],
      ...['--only-inbox', address, '--only-pod', 'pod_1'],
      ...['--header', 'X-A: one: two', '--header', 'X-B:three'],
    ];
    expect((await done(...whole)).body).toEqual({
      ...{ url, event_types: ['message.received'], client_id: 'mine' },
      ...{ inbox_ids: [address], pod_ids: ['pod_1'] },
      headers: { 'X-A': 'one: two', 'X-B': 'three' },
    });
  });

  it('makes one of a pod or of an inbox', async () => {
    const { done } = scene();
    const some = [url, '--event', 'message.received'];
    expect(await done('create', '--pod', 'pod_1', ...some)).toMatchObject({
      name: 'pods.webhooks.create',
      path: { pod_id: 'pod_1' },
    });
    expect(await done('create', '--inbox', address, ...some)).toMatchObject({
      name: 'inboxes.webhooks.create',
      path: { inbox_id: address },
    });
  });

  it('says what is missing or wrong, and calls nobody', async () => {
    const { refused } = scene();
    expect(await refused('create', '--event', 'message.received')).toContain(
      "missing required argument 'url'",
    );
    expect(await refused('create', url)).toContain('--event');
    const some = ['create', url, '--event', 'message.received'];
    expect(await refused(...some, '--pod', 'pod_1', '--inbox', address)).toContain('not both');
    expect(await refused(...some, '--header', 'no colon')).toContain('name: value');
  });

  it('shows what the server has against it', async () => {
    const { posthorn } = scene();
    const args = ['webhooks', 'create', url, '--event', 'no.such.event'];
    const { code, err } = await posthorn(args);
    expect([code, err]).toEqual([1, expect.stringContaining('event_types')]);
    const pod = ['--pod', 'pod_1', '--only-pod', 'pod_1'];
    expect((await posthorn([...args.slice(0, 4), 'message.received', ...pod])).err).toContain('leave it out');
  });
});

describe('posthorn webhooks', () => {
  const places: [string, string[], object][] = [
    ['webhooks', [], {}],
    ['pods.webhooks', ['--pod', 'pod_1'], { pod_id: 'pod_1' }],
    ['inboxes.webhooks', ['--inbox', address], { inbox_id: address }],
  ];
  it.each(places)('reads, changes and deletes: %s', async (at, place, path) => {
    const { done } = scene();
    const named = { path: { ...path, webhook_id: 'wh_1' } };
    const listed = await done('list', ...place, '--limit', '5', '--ascending', '--json');
    expect(listed).toMatchObject({ name: `${at}.list`, path, query: { limit: 5, ascending: true } });
    expect(listed.out).not.toContain('whsec');
    const got = await done('get', 'wh_1', ...place);
    expect(got).toMatchObject({ name: `${at}.get`, ...named });
    expect(got.out).toContain('whsec');
    expect(await done('delete', 'wh_1', ...place)).toMatchObject({ name: `${at}.delete`, ...named, out: '' });
    expect(await done('rotate-secret', 'wh_1', ...place)).toMatchObject({
      name: `${at}.rotateSecret`,
      ...named,
    });
    const deliveries = await done('deliveries', 'wh_1', ...place, '--limit', '2');
    expect(deliveries).toMatchObject({ name: `${at}.listDeliveries`, ...named, query: { limit: 2 } });
    expect(JSON.parse(deliveries.out).deliveries[0].attempts).toHaveLength(1);
    const again = await done('redeliver', 'wh_1', 'evt_1', ...place);
    expect(again).toMatchObject({ name: `${at}.redeliver`, path: { ...named.path, delivery_id: 'evt_1' } });
    expect(JSON.parse(again.out)).toEqual({ delivery_id: 'evt_1', pending: true });
  });

  it('updates', async () => {
    const { done, refused } = scene();
    expect(await refused('update', 'wh_1', '--enable', '--disable')).toContain('not both');
    expect(await done('update', 'wh_1', '--enable')).toMatchObject({
      name: 'webhooks.update',
      body: { enabled: true },
    });
    expect((await done('update', 'wh_1', '--disable')).body).toEqual({ enabled: false });
    const all = [
      ...['--event', 'inbox.created', '--add-inbox', address, '--remove-inbox', 'inb_1'],
      ...['--add-pod', 'pod_1', '--remove-pod', 'pod_2', 'pod_3'],
    ];
    expect((await done('update', 'wh_1', ...all)).body).toEqual({
      ...{ event_types: ['inbox.created'], add_inbox_ids: [address], remove_inbox_ids: ['inb_1'] },
      ...{ add_pod_ids: ['pod_1'], remove_pod_ids: ['pod_2', 'pod_3'] },
    });
  });

  it('shows the names of headers, sets and removes them', async () => {
    const { done } = scene();
    const shown = await done('headers', 'wh_1');
    expect([shown.name, JSON.parse(shown.out)]).toEqual([
      'webhooks.getHeaders',
      { header_names: ['x-token'] },
    ]);
    const changed = await done('headers', 'wh_1', '--set', 'X-Token: abc', '--remove', 'X-Old');
    expect(changed).toMatchObject({
      ...{ name: 'webhooks.updateHeaders', out: '' },
      body: { headers: { 'X-Token': 'abc' }, remove_headers: ['X-Old'] },
    });
  });

  it('explains each command', async () => {
    const { posthorn } = scene();
    const { out } = await posthorn(['webhooks', '--help']);
    for (const name of [
      'create',
      'list',
      'get',
      'update',
      'delete',
      'rotate-secret',
      'headers',
      'deliveries',
      'redeliver',
    ]) {
      expect(out).toContain(name);
      const help = await posthorn(['webhooks', name, '--help']);
      expect([help.code, help.out]).toEqual([0, expect.stringMatching(/--inbox <inbox>[^]*--json/)]);
    }
  });
});
