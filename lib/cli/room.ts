import type { Command } from 'commander';
import { connect, type Connection, type ConnectionOptions } from './connection.ts';
import type { Shell } from './shell.ts';

/** What a command works with. */
export interface Room {
  shell: Shell;
  /** The connection that the options of this command say. */
  connection(command: Command): Connection;
  /** Prints an answer as JSON; nothing when there is nothing. */
  print(answer: unknown): void;
}

export const createRoom = (shell: Shell): Room => ({
  shell,
  connection: (command) => connect(command.optsWithGlobals<ConnectionOptions>(), shell),
  print: (answer) => answer !== undefined && shell.out(`${JSON.stringify(answer, null, 2)}\n`),
});
