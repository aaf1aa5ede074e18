import { describe, expect, it } from 'vitest';
import { address, setUp } from './posthorn-shell.ts';

const archived = { messages: 'archive' };

describe.each([
  [`inboxes delete ${address}`, 'inboxes.delete', { inbox_id: address }, {}, `${address} and all its mail`],
  [`inboxes delete ${address} --archive`, 'inboxes.delete', { inbox_id: address }, archived, address],
  ['archives delete arc_1', 'archives.delete', { archive_id: 'arc_1' }, {}, 'the archive arc_1'],
  [
    'operator organizations delete org_1',
    'operator.organizations.delete',
    { organization_id: 'org_1' },
    {},
    'org_1 and everything it has',
  ],
])('posthorn %s', (line, name, path, query, what) => {
  const scene = () => {
    const { posthorn, mailroom, operator } = setUp();
    const run = (more: string[], terminal: boolean) => posthorn([...line.split(' '), ...more], { terminal });
    return { run, calls: () => [...mailroom.calls, ...operator.calls] };
  };

  it('is not done at a terminal until it is meant', async () => {
    const { run, calls } = scene();
    expect(await run([], true)).toMatchObject({
      code: 2,
      out: '',
      err: `This deletes ${what} for good. Say --yes to do it.\n`,
    });
    expect(calls()).toEqual([]);
    expect(await run(['--yes'], true)).toMatchObject({ code: 0, err: '' });
    expect(calls()).toMatchObject([{ name, call: { path, query } }]);
  });

  it('is done in a script, which says what it means', async () => {
    const { run, calls } = scene();
    expect(await run([], false)).toMatchObject({ code: 0, err: '' });
    expect(calls()).toMatchObject([{ name }]);
  });
});
