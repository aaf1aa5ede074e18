import type { Command } from 'commander';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

export interface YesOption {
  yes?: true;
}

/** The option with which a person says that what cannot be undone is meant. */
export const withYes = (command: Command): Command =>
  command.option('--yes', 'do it; on a terminal it has to be said');

/** A slip of a person at a terminal deletes nothing; a script says what it means. */
export function confirm(yes: true | undefined, what: string, { shell }: Room): void {
  if (yes !== true && shell.terminal === true)
    throw new UsageError(`This deletes ${what} for good. Say --yes to do it.`);
}
