import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** What one process of a run of tests makes and all of them use, as JSON; the others wait for it. */
export async function onceARun<Made>(name: string, make: () => Made | Promise<Made>): Promise<Made> {
  const run = process.env['POSTHORN_TEST_HOMES'];
  if (run === undefined) return make();
  const file = join(run, `${name}.json`);
  try {
    mkdirSync(join(run, name));
  } catch {
    while (!existsSync(file)) await wait(50);
    const { made, failure } = JSON.parse(readFileSync(file, 'utf8')) as { made: Made; failure?: string };
    if (failure !== undefined) throw new Error(failure);
    return made;
  }
  const tell = (content: object) => {
    writeFileSync(`${file}.part`, JSON.stringify(content));
    renameSync(`${file}.part`, file);
  };
  try {
    const made = await make();
    tell({ made });
    return made;
  } catch (error) {
    tell({ failure: `${name} could not be made: ${(error as Error).message}` });
    throw error;
  }
}
