/** What a target is sent in place of the whole event. */
export interface InputSettings {
  /** JSON text, sent as it is. */
  input: string | undefined;
  path: string | undefined;
  transformer: { paths: Record<string, string>; template: string } | undefined;
}

/** The JSON text a target gets. */
export function targetInput(
  settings: InputSettings,
  event: Record<string, unknown>,
  ruleArn: string,
): string {
  if (settings.input !== undefined) return settings.input;
  if (settings.path !== undefined) return JSON.stringify(atPath(event, settings.path) ?? null);
  if (settings.transformer === undefined) return JSON.stringify(event);
  return transformed(settings.transformer, event, ruleArn);
}

const step = /\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]/y;

/** The steps of a path such as `$.detail.list[0]['odd name']`; an Error for what is not one. */
export function pathSteps(path: string): string[] {
  if (!path.startsWith('$')) throw new Error(`${path} is not a JSON path`);
  const steps: string[] = [];
  step.lastIndex = 1;
  for (let match = step.exec(path); match !== null; match = step.exec(path)) {
    steps.push((match[1] ?? match[2] ?? match[3])!);
    if (step.lastIndex === path.length) return steps;
  }
  if (path === '$') return steps;
  throw new Error(`${path} is not a JSON path this machine can follow`);
}

function atPath(event: Record<string, unknown>, path: string): unknown {
  let value: unknown = event;
  for (const name of pathSteps(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function transformed(
  { paths, template }: { paths: Record<string, string>; template: string },
  event: Record<string, unknown>,
  ruleArn: string,
): string {
  const values: Record<string, unknown> = {
    'aws.events.rule-arn': ruleArn,
    'aws.events.rule-name': ruleArn.split('/').at(-1),
    'aws.events.event.ingestion-time': event['time'],
    'aws.events.event': event,
    'aws.events.event.json': event,
  };
  for (const [name, path] of Object.entries(paths)) values[name] = atPath(event, path);
  let quoted = false;
  // Inside quotes a value becomes part of the string, outside it stands as JSON.
  const text = template.replace(/\\.|"|<([\w.-]+)>/g, (token, name: string | undefined) => {
    if (token === '"') quoted = !quoted;
    if (name === undefined || !(name in values)) return token;
    const value = values[name];
    if (!quoted) return JSON.stringify(value ?? null);
    const plain = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    return JSON.stringify(plain).slice(1, -1);
  });
  // A template of plain text, not of JSON, arrives as a string.
  return isJson(text) ? text : JSON.stringify(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
