/** What surrounds a command, so that tests can stand in for it. */
export interface Shell {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: AsyncIterable<Uint8Array>;
  /** Whether a person sits at it. */
  terminal?: boolean;
  /** Aborts when a person has had enough of a command that goes on by itself. */
  interrupted?(): AbortSignal;
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
    terminal: process.stdin.isTTY === true,
    interrupted() {
      const controller = new AbortController();
      process.once('SIGINT', () => controller.abort());
      return controller.signal;
    },
    out: (content) => void process.stdout.write(content),
    err: (text) => void process.stderr.write(text),
    fetch: (input, init) => fetch(input, init),
  };
}
