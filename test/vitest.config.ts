import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores, and journeys that wait for each other's processes more than they compute.
    maxWorkers: 3,
    reporters: ['default', new URL('./support/closing-line.ts', import.meta.url).pathname],
  },
});
