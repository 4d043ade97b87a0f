import { ping } from './ping.ts'

/** Every operation of the API. Routes, documents and the typed client follow this list. */
export const operations = [ping] as const

export type Operations = typeof operations
