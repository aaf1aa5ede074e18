import { spawn } from 'node:child_process';

/** Runs a TypeScript file with the home as its argument, kills it with -9 once it has written `lines` lines, and answers
 * every whole line it wrote: what it had acknowledged before it died. */
export async function killAfter(lines: number, file: string, home: string): Promise<string[]> {
  const child = spawn(process.execPath, [file, home], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let text = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    seen += part.split('\n').length - 1;
    if (seen >= lines) child.kill('SIGKILL');
  });
  await exited;
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}
