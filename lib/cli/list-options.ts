import { Option, type Command } from 'commander';
import { given, several, wholeNumber } from './input.ts';

export interface ListOptions {
  limit?: number;
  pageToken?: string;
  ascending?: true;
}

/** The options of every list. */
export const withListOptions = (command: Command): Command =>
  command
    .option('--limit <number>', 'items in a page', wholeNumber)
    .option('--page-token <token>', 'next_page_token of the page before')
    .option('--ascending', 'oldest first');

export const listQuery = ({ limit, pageToken, ascending }: ListOptions) =>
  given({ limit, page_token: pageToken, ascending });

export interface FilterOptions extends ListOptions {
  label?: string[];
  before?: string;
  after?: string;
  include?: string[];
}

/** The options that say which messages or threads are meant. */
export const withMatchOptions = (command: Command): Command =>
  command
    .option('--label <label>', 'only with this label; may be given several times', several)
    .option('--before <time>', 'only before this ISO 8601 time')
    .option('--after <time>', 'only after this ISO 8601 time')
    .addOption(
      new Option('--include <labels...>', 'show what is hidden by default').choices([
        'spam',
        'blocked',
        'unauthenticated',
        'trash',
      ]),
    );

/** The options of lists of messages and threads. */
export const withFilterOptions = (command: Command): Command => withMatchOptions(withListOptions(command));

export const filterQuery = (options: FilterOptions) => ({
  ...listQuery(options),
  ...given({ labels: options.label, before: options.before, after: options.after }),
  ...Object.fromEntries((options.include ?? []).map((label) => [`include_${label}`, true])),
});
