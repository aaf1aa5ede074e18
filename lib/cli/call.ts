import type { Command } from 'commander';
import { problemOf } from '../sdk/problem-of.ts';
import { readJsonInput } from './input.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

interface CallOptions {
  data?: string;
  operator?: true;
}

/** `posthorn call`: one signed request, whatever it is. */
export function addCall(program: Command, room: Room): void {
  program
    .command('call')
    .description('sign any request and print the answer')
    .argument('<method>', 'GET, POST, PATCH or DELETE')
    .argument('<path>', 'the path with its query, such as /v0/inboxes?limit=5')
    .option('-d, --data <json>', 'the body: JSON, @file, or - for standard input')
    .option('--operator', 'sign with SigV4 as the operator, for /v0/operator paths')
    .action(async (method: string, path: string, options: CallOptions, command: Command) => {
      if (!path.startsWith('/')) throw new UsageError('The path begins with /, such as /v0/inboxes');
      const connection = room.connection(command);
      const send = options.operator ? connection.operatorFetch() : connection.keyFetch();
      const body = options.data === undefined ? undefined : await readJsonInput(options.data, room.shell);
      const response = await send(`${connection.api()}${path}`, {
        method: method.toUpperCase(),
        ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
      });
      if (!response.ok) throw await problemOf(response);
      const text = await response.text();
      if (text !== '') room.print(JSON.parse(text));
    });
}
