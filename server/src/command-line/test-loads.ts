import { strict as assert } from 'node:assert'
import { Kysely } from 'kysely'
import Type from 'typebox'
import { Compile } from 'typebox/schema'

assert.equal(typeof Kysely, 'function')
assert.equal(Compile(Type.Object({ n: Type.Integer() })).Check({ n: 1 }), true)

/** Where this process has these packages from. */
export const loads = ['kysely', 'typebox', 'typebox/schema'].map((name) => import.meta.resolve(name))
