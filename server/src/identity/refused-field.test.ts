import { expect, test } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { OWNER } from './audit.ts'
import { checkedFields, refusedField } from './refused-field.ts'
import { HOME, refusalOf, TestRooms } from './test-rooms.ts'

const refuse = (field: string) => () => {
  throw refusedField(field, `No ${field}.`)
}
const errorOf = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

test('checks answer each for itself, or are refused together', () => {
  expect(
    checkedFields(
      () => 1,
      () => 'two',
    ),
  ).toEqual([1, 'two'])
  expect(errorOf(() => checkedFields(() => 1, refuse('name')))).toMatchObject({ message: 'No name.' })
  expect(errorOf(() => checkedFields(refuse('name'), () => 1, refuse('scopes')))).toMatchObject({
    code: 'validation_failed',
    message: 'name: No name. scopes: No scopes.',
    errors: [
      { field: 'name', message: 'No name.' },
      { field: 'scopes', message: 'No scopes.' },
    ],
  })
})

test('what is no refusal of a field ends the checks', () => {
  const full = new Refusal('validation_failed', 'There are too many.')
  const act = () =>
    checkedFields(refuse('name'), () => {
      throw full
    })
  expect(errorOf(act)).toBe(full)
})

test('everything that is wrong with a new user or key is told at once', async () => {
  const rooms = await TestRooms.open()
  const fieldsOf = async (asked: Promise<unknown>) => {
    const refusal = await refusalOf(asked)
    return refusal instanceof Refusal ? refusal.errors?.map(({ field }) => field) : refusal
  }
  try {
    const token = (await rooms.identity.newSetUpToken()) ?? ''
    const wrong = { token, name: '1', email: 'nowhere', password: 'short' }
    expect(await fieldsOf(rooms.identity.setUp(wrong, HOME))).toEqual(['name', 'email', 'password'])
    expect(await fieldsOf(rooms.identity.setUp({ ...wrong, name: 'asha' }, HOME))).toEqual(['email', 'password'])
    const key = { account: 'default', name: '', scopes: ['write'], networks: 'home', expiresDays: 0 }
    expect(await fieldsOf(rooms.keys.createKey(key, OWNER))).toEqual(['name', 'scopes', 'networks', 'expires_days'])
  } finally {
    await rooms.dispose()
  }
})
