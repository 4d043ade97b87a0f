import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Sealer } from './sealed.ts'

const secret = randomBytes(32)
const sealer = new Sealer(secret, 'totp')

test('what was sealed opens for its owner, is not readable, and looks different each time', () => {
  const sealed = sealer.seal('JBSWY3DPEHPK3PXP', 'usr_a')
  expect(sealer.open(sealed, 'usr_a')).toBe('JBSWY3DPEHPK3PXP')
  expect(new Sealer(secret, 'totp').open(sealed, 'usr_a')).toBe('JBSWY3DPEHPK3PXP')
  expect(Buffer.from(sealed, 'base64url').includes('JBSWY3DP')).toBe(false)
  expect(sealer.seal('JBSWY3DPEHPK3PXP', 'usr_a')).not.toBe(sealed)
})

test('it opens for nobody else, for no other purpose and under no other secret', () => {
  const sealed = sealer.seal('text', 'usr_a')
  expect(() => sealer.open(sealed, 'usr_b')).toThrow()
  expect(() => new Sealer(secret, 'other').open(sealed, 'usr_a')).toThrow()
  expect(() => new Sealer(randomBytes(32), 'totp').open(sealed, 'usr_a')).toThrow()
})

test('it opens only whole: any changed bit and any cut is noticed', () => {
  const bytes = Buffer.from(sealer.seal('text', 'usr_a'), 'base64url')
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(bytes.readUInt8(index) ^ 1, index)
    expect(() => sealer.open(changed.toString('base64url'), 'usr_a')).toThrow()
    expect(() => sealer.open(bytes.subarray(0, index).toString('base64url'), 'usr_a')).toThrow()
  }
})
