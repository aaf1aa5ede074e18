import { describe, expect, it } from 'vitest';
import { address, setUp } from './posthorn-shell.ts';

function scene() {
  const { posthorn, mailroom } = setUp();
  const done = async (...args: string[]) => {
    const { code, err, out } = await posthorn(args);
    expect([code, err], args.join(' ')).toEqual([0, '']);
    const { name, call } = mailroom.calls.at(-1)!;
    const { path = {}, query = {} } = call as { path?: object; query?: object };
    return { name, path, query, out };
  };
  return { done };
}

describe('posthorn inboxes delete', () => {
  it('puts the mail into an archive where it is asked to', async () => {
    const { done } = scene();
    expect(await done('inboxes', 'delete', address)).toMatchObject({ name: 'inboxes.delete', query: {} });
    const archived = await done('inboxes', 'delete', address, '--archive');
    expect(archived).toMatchObject({ path: { inbox_id: address }, query: { messages: 'archive' } });
    expect(JSON.parse(archived.out)).toEqual({ archive_id: 'arc_1', pending: true });
  });
});

describe('posthorn archives', () => {
  it('lists, shows and deletes', async () => {
    const { done } = scene();
    expect(await done('archives', 'list', '--limit', '5')).toMatchObject({
      name: 'archives.list',
      query: { limit: 5 },
    });
    const one = await done('archives', 'get', 'arc_1');
    expect(one).toMatchObject({ name: 'archives.get', path: { archive_id: 'arc_1' } });
    expect(JSON.parse(one.out)).toMatchObject({ state: 'ready', messages: 2 });
    expect(await done('archives', 'delete', 'arc_1')).toMatchObject({ name: 'archives.delete' });
  });
});
