import { defineConfig } from 'vitest/config'

/** Tests of the whole program: real processes, real sockets, real files. One after another, so that time-outs mean something. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
