import { run } from '../../lib/cli/run.ts';

/** `npx posthorn` on a home, without a process of its own, which costs seconds: what it prints, and its exit code. */
export async function posthornHere(home: string, ...words: string[]) {
  const printed = { out: '', err: '' };
  const code = await run(['--home', home, ...words], {
    env: {},
    cwd: home,
    stdin: (async function* () {})(),
    out: (content) => void (printed.out += String(content)),
    err: (text) => void (printed.err += text),
    fetch,
  });
  return { code, ...printed };
}
