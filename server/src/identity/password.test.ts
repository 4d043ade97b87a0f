import { describe, expect, test } from 'vitest'
import { HASHES_WAITING_MAX, PASSWORD_COST, PasswordHasher, passwordProblem } from './password.ts'
import { CHEAP } from './test-rooms.ts'

describe('a password', () => {
  test.each([
    ['ninechars', 'A password has at least 10 characters; this one has 9.'],
    ['😀😁😂🤣😃', 'this one has 5.'],
    ['x'.repeat(129), 'A password has at most 128 characters; this one has 129.'],
    ['1234567890', 'among the first that attackers try'],
    ['Password123', 'among the first that attackers try'],
    ['ＱＷＥＲＴＹＵＩＯＰ', 'among the first that attackers try'],
    ['aaaaaaaaaaaaaa', 'among the first that attackers try'],
    ['abababababab', 'among the first that attackers try'],
    ['asha.trader', 'must not be your name'],
    ['ASHA@example.com', 'must not be your name'],
    [' ａsha.Trader\u00a0', 'must not be your name'],
    ['jos\u00e9@example.com', 'must not be your name'],
  ])('may not be %j', async (password, problem) => {
    expect(
      await passwordProblem(password, ['asha.trader', 'asha@example.com', 'jose\u0301@example.com', '']),
    ).toContain(problem)
  })

  test.each([
    'plum orbit',
    'correct horse battery',
    'aaaa bbbb cccc dddd',
    '😀😁😂🤣😃😄😅😆😉😊',
    `${'x1'.repeat(62)}yz`,
  ])('needs no mixture of characters: %j', async (password) => {
    expect(await passwordProblem(password, ['asha'])).toBeUndefined()
  })
})

describe('a hash', () => {
  test('is Argon2id, as costly as it should be, and different each time', async () => {
    const hasher = new PasswordHasher()
    const [one, other] = await Promise.all([hasher.hash('plum orbit'), hasher.hash('plum orbit')])
    const { memoryCost, timeCost, parallelism } = PASSWORD_COST
    expect(memoryCost).toBeGreaterThanOrEqual(65_536)
    expect(one).toMatch(new RegExp(`^\\$argon2id\\$v=19\\$m=${memoryCost},t=${timeCost},p=${parallelism}\\$`))
    expect(one).not.toBe(other)
    expect([await hasher.verify(one, 'plum orbit'), await hasher.verify(one, 'plum orbit ')]).toEqual([true, false])
  })

  test('takes a password however it was typed', async () => {
    const hasher = new PasswordHasher(CHEAP)
    expect(await hasher.verify(await hasher.hash('Cafe\u0301 au lait'), 'Caf\u00e9 au lait')).toBe(true)
  })

  test('is computed once for a name that nobody has, at the same cost, and is never right', async () => {
    const hasher = new PasswordHasher()
    const known = await hasher.hash('plum orbit')
    const count = async (act: () => Promise<unknown>) => {
      const before = hasher.computed
      await act()
      return hasher.computed - before
    }
    expect(await count(async () => expect(await hasher.verify(undefined, '')).toBe(false))).toBe(1)
    expect(await count(async () => expect(await hasher.verify(known, 'wrong')).toBe(false))).toBe(1)
  })
})

test('two hashes are computed at once, some wait, and the rest is refused', async () => {
  const hasher = new PasswordHasher(CHEAP)
  const all = Array.from({ length: HASHES_WAITING_MAX + 10 }, (_, index) => hasher.hash(`password ${index}`))
  expect(hasher.computed).toBe(2)
  const settled = await Promise.allSettled(all)
  expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(HASHES_WAITING_MAX + 2)
  for (const result of settled.slice(HASHES_WAITING_MAX + 2))
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'overloaded' } })
  expect(await hasher.verify(await hasher.hash('afterwards'), 'afterwards')).toBe(true)
})
