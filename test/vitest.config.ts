import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './support/longest-first.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
// For the test processes and those they start: what was compiled once is not compiled again.
process.env['NODE_COMPILE_CACHE'] ??= `${project}node_modules/.cache/posthorn`;

const journeys = ['test/journeys/**/*.test.ts'];
/** A process for each, with Vite's loader: what replaces modules, which Node itself cannot. */
const alone = ['test/adapters/keys.test.ts'];
const limits = { root: project, testTimeout: 60_000, hookTimeout: 120_000 };
/** Modules as Node loads them, TypeScript too, which is quick and what runs elsewhere; files of a process share them. */
const shared = { ...limits, isolate: false, experimental: { viteModuleRunner: false } };

export default defineConfig({
  test: {
    root: project,
    globalSetup: fileURLToPath(new URL('./support/homes.ts', import.meta.url)),
    // Two cores, and journeys that wait for each other's processes more than they compute.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', fileURLToPath(new URL('./support/closing-line.ts', import.meta.url))],
    projects: [
      {
        test: {
          ...shared,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ['test/soak/**', ...journeys, ...alone],
        },
      },
      // A cloud takes seconds to start: those of one process share it where they can.
      { test: { ...shared, name: 'journeys', include: journeys } },
      { test: { ...limits, name: 'alone', include: alone } },
    ],
  },
});
