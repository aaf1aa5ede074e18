import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { lockHome } from '../../lib/local/home-lock.ts';
import { newHome } from './small-stack.ts';

const module = fileURLToPath(new URL('../../lib/local/home-lock.ts', import.meta.url));

/** Another process that holds the lock until it is killed. */
async function holder(home: string) {
  const program = `import(${JSON.stringify(module)}).then(({ lockHome }) => {
    globalThis.unlock = lockHome(${JSON.stringify(home)});
    console.log('locked');
    setInterval(() => {}, 1000);
  })`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

it('makes a home for its owner only, and one process at a time', () => {
  const home = newHome();
  const unlock = lockHome(home);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(() => lockHome(home)).toThrow(`${home} is in use by process ${process.pid}; stop that one`);
  unlock();
  lockHome(home)();
});

it('names the process that has the home, and takes the home over when that was killed', async () => {
  const home = newHome();
  const child = await holder(home);
  expect(() => lockHome(home)).toThrow(`is in use by process ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockHome(home)();
});

it('does not mind a process id left behind, though that id lives: it is somebody else', () => {
  const home = newHome();
  lockHome(home)();
  writeFileSync(join(home, 'lock.pid'), String(process.ppid));
  lockHome(home)();
});
