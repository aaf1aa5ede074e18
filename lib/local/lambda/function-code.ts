import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionProperties } from './function-properties.ts';

/** Where a function's handler is: which module, which export of it, and the folder Lambda calls the task root. */
export interface FunctionCode {
  module: string;
  exportName: string;
  taskRoot: string;
}

/** Where to look for code: the project for sources, or a cloud assembly whose bundles are to run instead. */
export interface CodeRoots {
  /** Folder that a relative `posthorn:entry` starts from. */
  project: string;
  /** Folder of the cloud assembly (`cdk.out`); when given, the bundles that would be deployed run. */
  bundles?: string | undefined;
}

/** Finds the code of a function. Throws when the template does not say where it is or it is not there. */
export function findCode(
  properties: FunctionProperties,
  metadata: Record<string, unknown>,
  { project, bundles }: CodeRoots,
): FunctionCode {
  const dot = properties.Handler.lastIndexOf('.');
  const [file, exportName] = [properties.Handler.slice(0, dot), properties.Handler.slice(dot + 1)];
  const path =
    bundles === undefined
      ? resolve(project, named(metadata, 'posthorn:entry', 'the path of its TypeScript source'))
      : bundle(resolve(bundles, named(metadata, 'aws:asset:path', 'the folder of its bundle')), file);
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  return { module: pathToFileURL(path).href, exportName, taskRoot: dirname(path) };
}

function named(metadata: Record<string, unknown>, key: string, what: string): string {
  const value = metadata[key];
  if (typeof value !== 'string') throw new Error(`its Metadata must hold '${key}', ${what}`);
  return value;
}

function bundle(folder: string, file: string): string {
  const candidates = ['.mjs', '.js', '.cjs'].map((extension) => resolve(folder, file + extension));
  return candidates.find((path) => existsSync(path)) ?? candidates[0]!;
}
