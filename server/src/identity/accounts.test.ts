import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { ACCOUNTS_PER_USER_MAX, AccountStore } from './accounts.ts'
import { type AuditEntry, ITSELF } from './audit.ts'

const ASHA = 'usr_asha'
const RAVI = 'usr_ravi'
const ACTOR = { name: 'asha', address: '203.0.113.7', requestId: 'req-1' }

const clock = new ManualClock(1_700_000_000_000)
let dataDir: string
let databases: Databases
let accounts: AccountStore
let audit: AuditEntry[]
let books: string[]
/** The default account's order mode after each thing that was audited. */
let modes: string[]
/** What opening an account's books waits for. */
let openBooks: (id: string) => Promise<void>

async function open(): Promise<void> {
  databases = await openDatabases(dataDir, clock)
  accounts = await AccountStore.open({
    money: databases.money,
    clock,
    audit: (entry) => {
      audit.push(entry)
      modes.push(accounts.orderMode('default'))
    },
    openBooks: (id) => openBooks(id),
  })
}

async function restart(): Promise<void> {
  await databases.close()
  await open()
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-accounts-'))
  audit = []
  books = []
  modes = []
  openBooks = async (id) => void books.push(id)
  await open()
  const { kysely, writer, compile } = databases.money
  const user = (id: string) => ({
    id,
    name: id,
    email: `${id}@example.com`,
    role: 'trader',
    password_hash: '',
    totp_secret: null,
    totp_confirmed_at: null,
    created_at: 0,
    password_changed_at: 0,
    disabled_at: null,
  })
  await writer.write(
    [ASHA, RAVI].map((id) => compile(kysely.insertInto('user').values({ ...user(id), totp_last_step: 0 }))),
  )
})
afterEach(async () => {
  await databases.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const named = (userId: string) => accounts.list(userId).map(({ name }) => name)

describe('an account', () => {
  it('has books of its own when it is made, belongs to its user alone, and is there after a restart', async () => {
    clock.advance(1)
    const made = await accounts.create(ASHA, ' options ', ACTOR)
    expect(made).toEqual({
      id: expect.stringMatching(/^acc_[a-z2-7]{10}$/),
      userId: ASHA,
      name: 'options',
      venue: 'paper',
      orderMode: 'auto',
      createdAt: clock.now(),
    })
    expect(books).toEqual([made.id])
    expect(accounts.find(made.id)).toEqual(made)
    expect([named(ASHA), named(RAVI)]).toEqual([['options'], []])
    expect(audit).toEqual([
      {
        actor: 'asha',
        address: '203.0.113.7',
        requestId: 'req-1',
        action: 'account.created',
        target: made.id,
        detail: { name: 'options', venue: 'paper' },
      },
    ])
    await restart()
    expect(accounts.find(made.id)).toEqual(made)
  })

  it("may have another user's name, but not that of another one of its user, whatever the case", async () => {
    await accounts.create(ASHA, 'Options', ACTOR)
    await accounts.create(RAVI, 'options', ACTOR)
    const again = accounts.create(ASHA, 'options', ACTOR)
    await expect(again).rejects.toMatchObject({
      code: 'validation_failed',
      message: 'You have an account "options" already.',
    })
    expect([named(ASHA), named(RAVI)]).toEqual([['Options'], ['options']])
  })

  it('asked for twice at once is made once', async () => {
    const settled = await Promise.allSettled([1, 2, 3].map(() => accounts.create(ASHA, 'options', ACTOR)))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(books).toHaveLength(1)
  })

  it('is one of a limited number, also when they are asked for at once', async () => {
    const ask = (index: number) => accounts.create(ASHA, `account ${index}`, ACTOR)
    const settled = await Promise.allSettled(
      Array.from({ length: ACCOUNTS_PER_USER_MAX + 2 }, (_, index) => ask(index)),
    )
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(2)
    expect(named(ASHA)).toHaveLength(ACCOUNTS_PER_USER_MAX)
    await expect(ask(99)).rejects.toThrow(`You have ${ACCOUNTS_PER_USER_MAX} accounts, as many as there may be.`)
    await accounts.create(RAVI, 'first', ACTOR)
  })

  it('has a name that can be read and typed', async () => {
    for (const name of ['', ' ', '-x', 'x'.repeat(33), 'a\nb', 'a/b', '<b>', 'é']) {
      await expect(accounts.create(ASHA, name, ACTOR)).rejects.toMatchObject({
        code: 'validation_failed',
        message: expect.stringContaining('1 to 32 letters'),
      })
    }
    expect([books, named(ASHA)]).toEqual([[], []])
    for (const name of ['x', 'My 2nd account', 'a.b_c-d', 'x'.repeat(32)]) await accounts.create(ASHA, name, ACTOR)
  })

  it('whose books could not be opened never was, and can be asked for again', async () => {
    const working = openBooks
    openBooks = () => Promise.reject(new Error('disk full'))
    await expect(accounts.create(ASHA, 'options', ACTOR)).rejects.toThrow('disk full')
    expect([named(ASHA), audit]).toEqual([[], []])
    openBooks = working
    await accounts.create(ASHA, 'options', ACTOR)
    await restart()
    expect(named(ASHA)).toEqual(['options'])
  })

  it('that did not reach the disk is not there', async () => {
    await databases.money.writer.close()
    await expect(accounts.create(ASHA, 'options', ACTOR)).rejects.toMatchObject({ code: 'shutting_down' })
    expect([named(ASHA), audit]).toEqual([[], []])
  })

  it('is acted on without being named when it is the oldest of its user', async () => {
    expect(accounts.defaultOf(ASHA)).toBe('')
    const first = await accounts.create(ASHA, 'z', ACTOR)
    for (const name of ['e', 'd', 'c', 'b', 'a']) await accounts.create(ASHA, name, ACTOR)
    expect(accounts.defaultOf(ASHA)).toBe(first.id)
    await restart()
    expect(named(ASHA)).toEqual(['z', 'e', 'd', 'c', 'b', 'a'])
    expect([accounts.defaultOf(ASHA), accounts.defaultOf(RAVI)]).toEqual([first.id, ''])
  })

  it('of before there were users belongs to the first one', () => {
    expect(accounts.find('default')?.userId).toBeUndefined()
    accounts.adopt(ASHA)
    expect([accounts.defaultOf(ASHA), accounts.find('default')?.userId]).toEqual(['default', ASHA])
    accounts.adopt(RAVI)
    expect(accounts.find('default')?.userId).toBe(ASHA)
  })
})

describe('the order mode', () => {
  it('is auto at first, changes, is audited, and survives a restart', async () => {
    const { id } = await accounts.create(ASHA, 'options', ITSELF)
    expect(accounts.orderMode(id)).toBe('auto')
    expect(await accounts.setOrderMode(id, 'semi_auto', ACTOR)).toMatchObject({ id, orderMode: 'semi_auto' })
    expect(accounts.orderMode(id)).toBe('semi_auto')
    expect(audit.at(-1)).toMatchObject({
      actor: 'asha',
      action: 'account.order-mode',
      target: id,
      detail: { from: 'auto', to: 'semi_auto' },
    })
    await restart()
    expect([accounts.orderMode(id), accounts.orderMode('default')]).toEqual(['semi_auto', 'auto'])
  })

  it('of an account that is not known, or a mode that is not, is the careful one', async () => {
    expect(accounts.orderMode('acc_unknown')).toBe('semi_auto')
    await expect(accounts.setOrderMode('acc_unknown', 'auto', ACTOR)).rejects.toMatchObject({ code: 'not_found' })
    const { writer } = databases.money
    await writer.write([{ sql: "UPDATE account SET order_mode = 'odd'", parameters: [] }])
    await restart()
    expect(accounts.orderMode('default')).toBe('semi_auto')
  })

  it('is careful at once and careless when that is on disk', async () => {
    const careful = accounts.setOrderMode('default', 'semi_auto', ACTOR)
    expect(accounts.orderMode('default')).toBe('semi_auto')
    await careful
    const careless = accounts.setOrderMode('default', 'auto', ACTOR)
    expect(accounts.orderMode('default')).toBe('semi_auto')
    await careless
    expect(accounts.orderMode('default')).toBe('auto')
  })

  it('is never careless when the latest wish was the careful one, in memory and on disk', async () => {
    await accounts.setOrderMode('default', 'semi_auto', ACTOR)
    const wishes = ['auto', 'semi_auto', 'auto', 'semi_auto'] as const
    await Promise.all(wishes.map((mode) => accounts.setOrderMode('default', mode, ACTOR)))
    expect(modes).toEqual(Array(5).fill('semi_auto'))
    await restart()
    expect(accounts.orderMode('default')).toBe('semi_auto')
  })

  it('stays careful when the disk fails', async () => {
    await databases.money.writer.close()
    for (const mode of ['semi_auto', 'auto'] as const) {
      await expect(accounts.setOrderMode('default', mode, ACTOR)).rejects.toMatchObject({ code: 'shutting_down' })
      expect(accounts.orderMode('default')).toBe('semi_auto')
    }
    expect(audit).toEqual([])
  })

  it('changed while the account finds its owner keeps the owner', async () => {
    const changing = accounts.setOrderMode('default', 'semi_auto', ACTOR)
    accounts.adopt(ASHA)
    await changing
    expect(accounts.find('default')).toMatchObject({ userId: ASHA, orderMode: 'semi_auto' })
  })
})
