// Plain JavaScript, so that the compile cache is in use before the first TypeScript file is read: loading what strips types
// takes a tenth of a second, and then nothing needs it.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// The folder that src/main.ts names
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/sauda', import.meta.url)))
await import('./src/main.ts')
