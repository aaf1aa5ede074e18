import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { problems } from '../../lib/contract/problem.ts';

const head = `# Errors

Every refusal is \`{name, code, message, fix, docs, request_id}\`. \`code\` is the stable part, \`message\` says what is wrong, \`fix\`
what helps, \`docs\` which heading below tells of it. With a validation error comes \`errors\`, one entry a field (\`code\`, \`path\`,
\`message\`); with a taken name \`suggestions\`; with a limit \`resource\` and \`limit\`, with a rate also \`window\`.

429 and 503 carry \`Retry-After\` in seconds, 401 the server's time as \`Date\`; \`RateLimit-Limit\`, \`RateLimit-Remaining\` and
\`RateLimit-Reset\` (seconds) tell how much of the minute is left.

This page is made from \`lib/contract/problem.ts\`, by \`npx vitest run --config test/vitest.config.ts test/docs -u\`.
`;

/** docs/errors.md as the catalogue has it: a heading a code, so that each code is an anchor. */
export async function errorsPage(): Promise<string> {
  const entries = Object.entries(problems).map(
    ([code, { status, name, means, fix }]) => `## ${code}\n\n${status} \`${name}\`. ${means}\n\n${fix}\n`,
  );
  const path = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));
  return format([head, ...entries].join('\n'), { ...(await resolveConfig(path)), filepath: path });
}
