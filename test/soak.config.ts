import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

process.env['POSTHORN_SOAK'] = 'true';

/** What takes longer than `npm test` may: the same promises, more often and in worse weather. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    globalSetup: fileURLToPath(new URL('./support/homes.ts', import.meta.url)),
    include: [
      'test/soak/**/*.test.ts',
      'test/journeys/**/*.test.ts',
      'test/local/*/{crash,differential}.test.ts',
      'test/adapters/mime/property.test.ts',
    ],
    experimental: { viteModuleRunner: false },
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    reporters: ['default', fileURLToPath(new URL('./support/closing-line.ts', import.meta.url))],
  },
});
