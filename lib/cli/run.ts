import { Command, CommanderError } from 'commander';
import { isProblem } from '../sdk/problem-of.ts';
import { addArchives } from './archives.ts';
import { addAudit } from './audit.ts';
import { addCall } from './call.ts';
import { addKeys } from './api-keys.ts';
import { addEvents } from './events.ts';
import { addInboxes } from './inboxes.ts';
import { addMessages } from './messages.ts';
import { addOperator } from './operator.ts';
import { addPods } from './pods.ts';
import { addRedrive } from './redrive.ts';
import { createRoom } from './room.ts';
import { addSendTest } from './send-test.ts';
import type { Shell } from './shell.ts';
import { addThreads } from './threads.ts';
import { UsageError } from './usage-error.ts';
import { addWebhooks } from './webhooks.ts';

const exitCodes = `
Answers are JSON on standard output (of events tail with --json), complaints go to standard error.
Exit codes: 0 done, 1 refused or failed, 2 the command was not understood.`;

/** Runs one command and answers its exit code. `args` are the words after the program's name. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  try {
    await createProgram(shell).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    shell.err(`${complaint(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function createProgram(shell: Shell): Command {
  const program = new Command('posthorn')
    .description('A mailroom for AI agents: signs calls of its API for the shell')
    .option('--home <directory>', 'where the local cloud keeps its local.json', '.posthorn')
    .option('--url <origin>', 'the API (default: POSTHORN_URL, or that of local.json)')
    .option('--key <jwk>', 'a private JWK or a file with one (default: POSTHORN_KEY, or that of local.json)')
    .addHelpText('after', exitCodes)
    .configureOutput({ writeOut: (text) => shell.out(text), writeErr: (text) => shell.err(text) })
    .exitOverride();
  const room = createRoom(shell);
  for (const add of [
    addCall,
    addInboxes,
    addArchives,
    addMessages,
    addThreads,
    addEvents,
    addWebhooks,
    addPods,
    addKeys,
    addSendTest,
    addAudit,
    addOperator,
    addRedrive,
  ])
    add(program, room);
  takeJson(program);
  return program;
}

/** Other answers are JSON whether or not somebody asks, and a script that asks is understood everywhere. */
function takeJson(command: Command): void {
  command.commands.forEach(takeJson);
  if (command.commands.length > 0 || command.options.some(({ long }) => long === '--json')) return;
  command.option('--json', 'answer in JSON, as without it');
}

function complaint(error: unknown): string {
  if (!isProblem(error)) return error instanceof Error ? withReason(error) : String(error);
  const { fix, errors = [], suggestions } = error.detail;
  const lines = [`${error.message} (${error.code})`];
  // The message names the first field itself.
  for (const { path, message } of errors.slice(1)) lines.push(`  ${path.join('.')}: ${message}`);
  if (suggestions) lines.push(`Free: ${suggestions.join(', ')}`);
  if (fix !== undefined) lines.push(fix);
  return lines.join('\n');
}

/** `fetch` hides why it failed one level down. */
function withReason({ message, cause }: Error): string {
  const reason =
    cause instanceof Error && !message.includes(cause.message)
      ? cause.message || (cause as NodeJS.ErrnoException).code
      : undefined;
  return reason ? `${message}: ${reason}` : message;
}
