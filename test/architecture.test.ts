import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Room {
  /** Other rooms, or files of them, by their path from the project's root. */
  rooms: string[];
  /** Packages, each with the reason beside it where it is not obvious. */
  packages: string[];
}

const awsClients = [
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/client-eventbridge',
  '@aws-sdk/client-s3',
  '@aws-sdk/client-ses',
  '@aws-sdk/client-sesv2',
  '@aws-sdk/client-sts',
  '@aws-sdk/lib-dynamodb',
  '@aws-sdk/s3-request-presigner',
  '@aws-sdk/util-dynamodb',
  '@aws-sdk/client-sqs',
];

/** The import table of the house. A room imports itself, what stands here, and Node. */
const rooms: Record<string, Room> = {
  'lib/contract': { rooms: [], packages: ['zod'] },
  'lib/core': {
    rooms: ['lib/contract'],
    packages: [
      'ulid',
      'ipaddr.js', // pure: ranges of addresses
    ],
  },
  'lib/adapters': {
    rooms: ['lib/core', 'lib/contract'],
    packages: [
      ...awsClients,
      'mailparser',
      'ulid',
      'unique-names-generator', // the words of random usernames
      'html-to-text', // a preview of mail that has only HTML
      'htmlparser2', // where a quotation begins in HTML
      'email-reply-parser', // reply extraction
    ],
  },
  'lib/edge': {
    rooms: ['lib/contract'],
    packages: ['@middy/core', 'zod', 'http-message-signatures', 'structured-headers', 'aws-lambda'],
  },
  lambdas: {
    rooms: ['lib/core', 'lib/adapters', 'lib/edge', 'lib/contract'],
    packages: ['zod', 'aws-lambda'],
  },
  'lib/infra': {
    rooms: ['lib/contract', 'lib/adapters/dynamo/table.ts', 'lambdas/*/env.ts'],
    packages: ['aws-cdk-lib', 'constructs', 'zod', 'esbuild', 'cdk-nag'],
  },
  'lib/local': {
    rooms: [],
    packages: [
      'zod', // strict schemas of template properties
      'smtp-server',
      'nodemailer', // SES composes and delivers mail with it
      'mailauth',
      'dns-packet',
      'selfsigned', // the certificate of STARTTLS
      'mailparser', // what MIME headers claim, and decoded parts for the virus check
      'aws-cron-parser',
      'fast-xml-parser',
      'ipaddr.js',
      '@smithy/signature-v4',
      '@aws-crypto/sha256-js',
    ],
  },
  'lib/sdk': { rooms: ['lib/contract'], packages: [] },
  'lib/cli': {
    rooms: ['lib/sdk', 'lib/contract'],
    packages: [
      'commander',
      'nodemailer',
      'zod',
      '@smithy/signature-v4',
      '@aws-crypto/sha256-js',
      '@aws-sdk/credential-provider-node',
      '@aws-sdk/client-s3', // the export of the ledger, for the operator
      '@aws-sdk/client-sqs', // the way back from the dead-letter queues, for the operator
    ],
  },
  bin: { rooms: ['lib/infra', 'lib/local', 'lib/cli', 'lib/mcp'], packages: ['aws-cdk-lib'] },
};

interface Import {
  from: string;
  to: string;
}

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

const importsOf = (file: string, text = readFileSync(join(root, file), 'utf8')): Import[] =>
  ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({ from: file, to: fileName }));

const roomOf = (file: string): string | undefined =>
  Object.keys(rooms).find((room) => file.startsWith(`${room}/`));
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
const matches = (pattern: string, file: string): boolean =>
  pattern.endsWith('.ts')
    ? new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`).test(file)
    : file.startsWith(`${pattern}/`);

/** Why an import is not allowed; `undefined` when it is. */
function objection({ from, to }: Import): string | undefined {
  const room = roomOf(from)!;
  if (to.startsWith('node:')) return undefined;
  if (builtinModules.includes(to)) return `${from} imports ${to}: write node:${to}`;
  if (!to.startsWith('.'))
    return rooms[room]!.packages.includes(packageOf(to))
      ? undefined
      : `${from} imports the package ${to}, which ${room} may not`;
  const target = relative(root, resolve(root, dirname(from), to));
  if (room === 'lambdas' && target.startsWith('lambdas/')) {
    return dirname(target) === dirname(from)
      ? undefined
      : `${from} imports ${target}: one function never another`;
  }
  if (roomOf(target) === room || rooms[room]!.rooms.some((pattern) => matches(pattern, target)))
    return undefined;
  return `${from} imports ${target}, which ${room} may not`;
}

describe('the house', () => {
  const files = Object.keys(rooms).flatMap(sources);

  it('imports only what its table allows', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap((file) => importsOf(file)).flatMap((one) => objection(one) ?? [])).toEqual([]);
  });

  it.each([
    ['lib/core/x.ts', `import { S3Client } from '@aws-sdk/client-s3';`],
    ['lib/core/x.ts', `import type { Row } from '../adapters/dynamo/client.ts';`],
    ['lib/edge/x.ts', `export { inboxStore } from '../adapters/dynamo/inbox-store.ts';`],
    ['lib/local/x.ts', `const routes = await import('../contract/routes.ts');`],
    ['lib/sdk/x.ts', `import { ulid } from 'ulid';`],
    ['lib/infra/x.ts', `import { keys } from '../adapters/dynamo/keys.ts';`],
    ['lambdas/api/x.ts', `import { handler } from '../operator/handler.ts';`],
    ['lib/contract/x.ts', `import fs from 'fs';`],
  ])('objects to %s saying %s', (file, text) => {
    expect(importsOf(file, text).flatMap((one) => objection(one) ?? [])).toHaveLength(1);
  });

  it('names files for the one thing inside', () => {
    const vague = /(^|\/)(utils?|helpers?|common|shared|manager|types|index)\.(ts|js)$/;
    const names = [...files, ...sources('test')].filter(
      (file) => vague.test(file) || !/^[a-z0-9.-]+$/.test(file.split('/').at(-1)!),
    );
    expect(names).toEqual([]);
  });

  it('writes zod so that the bundler can shake it', () => {
    const named = files.filter((file) =>
      /import\s*\{[^}]*\bz\b[^}]*\}\s*from 'zod'/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(named).toEqual([]);
  });

  it('has no folder at the top that a newcomer would not expect', () => {
    const folders = readdirSync(root, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
    );
    const expected = [
      'bin',
      'cdk.out',
      'coverage',
      'docs',
      'lambdas',
      'lib',
      'node_modules',
      'skills',
      'test',
    ];
    expect(folders.map(({ name }) => name).filter((name) => !expected.includes(name))).toEqual([]);
  });
});
