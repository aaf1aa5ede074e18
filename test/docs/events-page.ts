import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import * as z from 'zod';
import { announced, eventVersion, published, type Announced } from '../../lib/contract/event.ts';

export const page = 'docs/events.md';
export const schemaFile = 'docs/events.schema.json';

const head = `# Events

Whatever changes in an inbox is announced on an EventBridge bus, named as the stack (\`posthorn-<stage>\`): \`source\` is \`posthorn\`,
\`detail-type\` the type of the event, \`detail\` what the tables below say: ids and headers, never a body. Webhooks are told the same,
with the message or the inbox beside it.

An event is written in the transaction of its change, so that there is none without the other. From then on:

- **At least once.** An event can come twice, or more often. \`event_id\` is the same each time: who has seen it drops it.
- **Out of order.** \`position\` counts the events of a log from 1 without gaps: the log of an inbox (\`inbox_uid\`), or of the organization where an event is of
  no inbox. Sort by it, and what is missing between two positions is still on its way.
- **Late rather than never.** What the bus does not take is tried for hours, and again whenever it is found waiting for ten minutes.

The log of an inbox keeps 30 days: \`GET /v0/inboxes/{inbox_id}/events?after_position=<the last you have>\` answers what comes behind, oldest
first, and \`posthorn events tail <inbox>\` follows it. There a change of labels is one \`label.added\` or \`label.removed\` for each label.

\`version\` is \`${eventVersion}\`. New types and new members come without notice: pass over what you do not know. What a subscriber could stumble over makes
another version. [events.schema.json](events.schema.json) has the JSON Schema of each \`detail\`.

Both files are made from \`lib/contract/event.ts\`, by \`npx vitest run --config test/vitest.config.ts test/docs -u\`.
`;

const samples = (own: string, remote: string) => `## Subscribing in the same account

A rule of your own stack; give its target a dead-letter queue, since EventBridge drops what it cannot deliver within a day.

\`\`\`ts
${own}\`\`\`

## Subscribing from another account

Deploy the mailroom with \`-c busSubscribers=<account id>\` (several with commas). Each of these accounts may then keep rules of its own on the bus, for
\`source: posthorn\` and nothing else, and can neither see nor change those of others. The rule's target has to be a bus of the
account that makes it: EventBridge takes no other target from another account.

\`\`\`ts
${remote}\`\`\`
`;

type Schema = { description?: string; properties: Record<string, Member>; required: string[] };
interface Member {
  description?: string;
  type?: string;
  const?: string;
  enum?: string[];
  items?: Member;
}

const schemaOf = (type: Announced) => z.toJSONSchema(published[type], { io: 'output' }) as unknown as Schema;
const typeOf = ({ type, const: one, enum: some, items }: Member): string =>
  one !== undefined
    ? `\`${one}\``
    : (some?.map((value) => `\`${value}\``).join(' or ') ?? (items ? `${typeOf(items)}s` : (type ?? 'any')));

/** What every event has, told once. */
const envelope = ['version', 'event_type', 'event_id', 'position', 'timestamp', 'organization_id'];

function section(type: Announced): string {
  const { description, properties, required } = schemaOf(type);
  const rows = Object.entries(properties)
    .filter(([name]) => !envelope.includes(name))
    .map(([name, member]) => row(name, member, required));
  return [`## ${type}\n`, `${description}\n`, ...table(rows)].join('\n');
}

const row = (name: string, member: Member, required: string[]): string =>
  `| \`${name}\`${required.includes(name) ? '' : '?'} | ${typeOf(member)} | ${member.description ?? ''} |`;
const table = (rows: string[]): string[] => ['| member | type | |', '| --- | --- | --- |', ...rows, ''];

/** docs/events.md as the catalogue has it, with the sample stacks as they stand beside this file. */
export async function eventsPage(): Promise<string> {
  const sample = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
  const { properties, required } = schemaOf('webhook.disabled');
  const whole = [
    head,
    samples(await sample('subscriber.ts'), await sample('remote-subscriber.ts')),
    '## In every event\n',
    ...table(
      envelope.map((name) =>
        row(
          name,
          name === 'event_type' ? { type: 'string', description: 'As `detail-type`.' } : properties[name]!,
          required,
        ),
      ),
    ),
    ...announced.map(section),
  ];
  const path = fileURLToPath(new URL(`../../${page}`, import.meta.url));
  return format(whole.join('\n'), { ...(await resolveConfig(path)), filepath: path });
}

/** docs/events.schema.json: the JSON Schema of each `detail`, by type. */
export async function eventsSchema(): Promise<string> {
  const schemas = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Events of Posthorn: `detail` on the bus, by `detail-type`',
    $defs: Object.fromEntries(
      announced.map((type) => {
        const { $schema: _, ...schema } = z.toJSONSchema(published[type], { io: 'output' });
        // A new member is no new version: what reads by this schema must not refuse it.
        return [type, { ...schema, additionalProperties: true }];
      }),
    ),
  };
  const path = fileURLToPath(new URL(`../../${schemaFile}`, import.meta.url));
  return format(JSON.stringify(schemas), { ...(await resolveConfig(path)), filepath: path });
}
