import { TOTP } from 'otpauth'
import { expect, test } from 'vitest'
import { newTotp, totpStep } from './totp.ts'

/** "12345678901234567890", as in RFC 6238, appendix B. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test.each([
  [59, 0x1, '287082'],
  [1_111_111_109, 0x23523ec, '081804'],
  [1_111_111_111, 0x23523ed, '050471'],
  [1_234_567_890, 0x273ef07, '005924'],
  [2_000_000_000, 0x3f940aa, '279037'],
  [20_000_000_000, 0x27bc86aa, '353130'],
])('RFC 6238: at %i s, step %i, the code is %s', async (seconds, step, code) => {
  expect(await totpStep(RFC_SECRET, code, seconds * 1000, 0)).toBe(step)
})

test('a code is taken one step early and one step late, and no further', async () => {
  const at = 2_000_000_000_000
  const taken: (number | undefined)[] = []
  for (const steps of [-2, -1, 0, 1, 2]) taken.push(await totpStep(RFC_SECRET, '279037', at + steps * 30_000, 0))
  expect(taken).toEqual([undefined, 0x3f940aa, 0x3f940aa, 0x3f940aa, undefined])
})

test('a step that was used, and every one before it, is used up', async () => {
  const at = 2_000_000_000_000
  expect(await totpStep(RFC_SECRET, '279037', at, 0x3f940aa - 1)).toBe(0x3f940aa)
  expect(await totpStep(RFC_SECRET, '279037', at, 0x3f940aa)).toBeUndefined()
  expect(await totpStep(RFC_SECRET, '279037', at, 0x3f940aa + 1)).toBeUndefined()
})

test.each(['279038', '27903', '2790377', '', 'abcdef', '２７９０３７', '279 037\n0'])('%j is no code', async (code) => {
  expect(await totpStep(RFC_SECRET, code, 2_000_000_000_000, 0)).toBeUndefined()
})

test('spaces between digits do no harm', async () => {
  expect(await totpStep(RFC_SECRET, ' 279 037 ', 2_000_000_000_000, 0)).toBe(0x3f940aa)
})

test('a new secret has 160 bits, is different each time, and comes as text, address and picture', async () => {
  const [one, other] = [await newTotp('asha'), await newTotp('asha')]
  expect(one.secret).toMatch(/^[A-Z2-7]{32}$/)
  expect(other.secret).not.toBe(one.secret)
  const uri = new URL(one.uri)
  expect(decodeURIComponent(uri.pathname)).toContain('Sauda:asha')
  expect(Object.fromEntries(uri.searchParams)).toMatchObject({
    secret: one.secret,
    issuer: 'Sauda',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  })
  expect(one.qrSvg).toMatch(/^<svg [\s\S]*<\/svg>$/)
  expect(one.qrSvg).not.toContain('<script')
  const now = 1_800_000_000_000
  const code = new TOTP({ secret: one.secret }).generate({ timestamp: now })
  expect(await totpStep(one.secret, code, now, 0)).toBe(now / 30_000)
})
