/** What surrounds a command, so that tests can stand in for it. */
export interface Shell {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: AsyncIterable<Uint8Array>;
  out(content: string | Uint8Array): void;
  err(text: string): void;
  fetch: typeof fetch;
}

/** The shell of this process. A reader that has seen enough (`| head`) ends it quietly. */
export function processShell(): Shell {
  process.stdout.once('error', () => process.exit(0));
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    out: (content) => void process.stdout.write(content),
    err: (text) => void process.stderr.write(text),
    fetch: (input, init) => fetch(input, init),
  };
}
