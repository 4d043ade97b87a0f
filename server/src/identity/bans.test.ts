import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Networks } from '../kernel/networks.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { AuditEntry } from './audit.ts'
import { BAN_HOURS_MAX, BANS_MAX, BanList, type BanRules, COUNTED_ADDRESSES_MAX } from './bans.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START = 1_700_000_000_000
const BAD = '203.0.113.9'
const ADMIN = { name: 'asha', address: '198.51.100.7', requestId: 'req-1' }
const RULES: BanRules = {
  automatic: true,
  windowMs: HOUR_MS,
  thresholds: { not_found: 5, bad_key: 3, failed_login: 2 },
  firstMs: HOUR_MS,
}

let dataDir: string
let clock: ManualClock
let databases: Databases
let bans: BanList
let audit: AuditEntry[]
let errors: unknown[]

function networks(text: string): Networks {
  const parsed = Networks.parse(text)
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed
}

async function open(rules: Partial<BanRules> = {}, keptRowsMax?: number): Promise<void> {
  databases = await openDatabases(dataDir, clock)
  const options = {
    money: databases.money,
    clock,
    rules: { ...RULES, ...rules },
    proxies: networks('10.0.0.0/8'),
    audit: (entry: AuditEntry) => void audit.push(entry),
    onError: (error: unknown) => void errors.push(error),
  }
  bans = await BanList.open(options, keptRowsMax)
}

async function restart(rules: Partial<BanRules> = {}, keptRowsMax?: number): Promise<void> {
  await databases.close()
  await open(rules, keptRowsMax)
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-bans-'))
  clock = new ManualClock(START)
  audit = []
  errors = []
  await open()
})
afterEach(async () => {
  expect(errors).toEqual([])
  await databases.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const ban = (address: string, hours?: number) => bans.ban(address, 'Guesses keys.', hours, ADMIN)

/** So many misdeeds at once, and all that follows from them. */
async function misbehave(address: string, times = 3, misdeed: 'not_found' | 'bad_key' | 'failed_login' = 'bad_key') {
  for (let time = 0; time < times; time += 1) bans.note(address, misdeed)
  await settled()
}

/** Resolves when the ban that was begun, if any, is on disk. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  await databases.money.writer.write([])
}

/** Hours that an address is banned for now. */
const hoursLeft = (address: string): number => ((bans.of(address)?.expiresAt ?? clock.now()) - clock.now()) / HOUR_MS

describe('a ban by hand', () => {
  it('is in force at once, before the disk has answered, and says who, why and how long', async () => {
    const banning = ban(BAD, 2)
    expect(bans.of(BAD)?.reason).toBe('Guesses keys.')
    const made = await banning
    expect(made).toEqual({
      address: BAD,
      reason: 'Guesses keys.',
      cause: 'manual',
      createdBy: 'asha',
      createdAt: START,
      expiresAt: START + 2 * HOUR_MS,
    })
    expect(bans.list()).toEqual([made])
    expect(audit).toEqual([
      {
        actor: 'asha',
        address: ADMIN.address,
        requestId: 'req-1',
        action: 'ban.created',
        target: BAD,
        detail: { reason: 'Guesses keys.', cause: 'manual', expiresAt: START + 2 * HOUR_MS },
      },
    ])
  })

  it('ends at its last instant, and one without an end never does, also across restarts', async () => {
    await ban(BAD, 2)
    await ban('203.0.113.10')
    clock.advance(2 * HOUR_MS - 1)
    await restart()
    expect([bans.of(BAD), bans.of('203.0.113.10')]).toEqual([expect.anything(), expect.anything()])
    clock.advance(1)
    expect([bans.of(BAD), bans.list().length]).toEqual([undefined, 1])
    clock.advance(5_000 * DAY_MS)
    await restart()
    expect([bans.of(BAD), bans.of('203.0.113.10')]).toEqual([undefined, expect.anything()])
  })

  it('is of one address, however it is written', async () => {
    await ban('::ffff:203.0.113.9')
    expect([bans.of(BAD)?.address, bans.of('203.0.113.8')]).toEqual([BAD, undefined])
    await ban('2001:DB8:0::0001')
    expect([bans.of('2001:db8::1')?.address, bans.of('2001:db8::2')]).toEqual(['2001:db8::1', undefined])
  })

  it('may be of the network of an IPv6 client', async () => {
    await ban('2001:db8:1:2::77/64')
    const found = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:3::1', BAD].map((one) => bans.of(one)?.address)
    expect(found).toEqual(['2001:db8:1:2::/64', '2001:db8:1:2::/64', undefined, undefined])
    await restart()
    await bans.lift('2001:db8:1:2::5', ADMIN)
    expect(bans.of('2001:db8:1:2::1')).toBeUndefined()
  })

  it.each([
    ['127.0.0.1', 'This machine itself is never banned.'],
    ['127.8.9.1', 'This machine itself is never banned.'],
    ['::1', 'This machine itself is never banned.'],
    ['::ffff:127.0.0.1', 'This machine itself is never banned.'],
    ['::/64', 'This machine itself is never banned.'],
    ['198.51.100.7', 'This is your own address: you would lock yourself out.'],
    ['::ffff:198.51.100.7', 'This is your own address: you would lock yourself out.'],
    ['localhost', '"localhost" is no IP address'],
    ['203.0.113.0/24', '"203.0.113.0/24" is no IP address'],
    ['203.0.113.9/64', '"203.0.113.9/64" is no IP address'],
    ['', '"" is no IP address'],
  ])('of %j is refused', async (address, message) => {
    const refused = await ban(address).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'validation_failed', message: expect.stringContaining(message) })
    expect([bans.list(), audit]).toEqual([[], []])
  })

  it("of one's own network of IPv6 is refused", async () => {
    const there = { ...ADMIN, address: '2001:db8::5' }
    for (const address of ['2001:db8::5', '2001:db8::/64'])
      await expect(bans.ban(address, '', undefined, there)).rejects.toThrow('your own address')
    await bans.ban('2001:db8::6', '', undefined, there)
  })

  it('for no possible number of hours is refused', async () => {
    for (const hours of [0, -1, 1.5, BAN_HOURS_MAX + 1, Number.NaN])
      await expect(ban(BAD, hours)).rejects.toThrow(`Must be a whole number from 1 to ${BAN_HOURS_MAX}.`)
    expect(bans.of(BAD)).toBeUndefined()
  })

  it('takes the place of an earlier one, which is over then', async () => {
    await ban(BAD)
    clock.advance(1)
    await ban(BAD, 1)
    expect([hoursLeft(BAD), bans.list().length]).toEqual([1, 1])
    clock.advance(HOUR_MS)
    expect(bans.of(BAD)).toBeUndefined()
    await restart()
    expect(bans.of(BAD)).toBeUndefined()
    const [second, first] = await bans.history(10, undefined)
    expect([second?.liftedAt, first?.liftedAt, first?.liftedBy]).toEqual([undefined, START + 1, 'asha'])
  })
})

describe('a ban that is lifted', () => {
  it('lets the address come again, and stays in the history', async () => {
    await ban(BAD)
    clock.advance(5)
    await bans.lift('::ffff:203.0.113.9', ADMIN)
    expect([bans.of(BAD), bans.list()]).toEqual([undefined, []])
    expect(audit.at(-1)).toMatchObject({ actor: 'asha', action: 'ban.lifted', target: BAD })
    await restart()
    expect(bans.of(BAD)).toBeUndefined()
    expect(await bans.history(10, undefined)).toMatchObject([
      { address: BAD, createdAt: START, liftedAt: START + 5, liftedBy: 'asha' },
    ])
  })

  it('leaves those alone that were over before', async () => {
    await ban(BAD, 1)
    clock.advance(2 * HOUR_MS)
    await ban(BAD)
    await bans.lift(BAD, ADMIN)
    const [latest, expired] = await bans.history(10, undefined)
    expect([latest?.liftedBy, expired?.liftedBy]).toEqual(['asha', undefined])
  })

  it('was in force: another is not found', async () => {
    for (const address of [BAD, 'localhost']) {
      await expect(bans.lift(address, ADMIN)).rejects.toMatchObject({ code: 'not_found' })
    }
    await ban(BAD, 1)
    clock.advance(HOUR_MS)
    await expect(bans.lift(BAD, ADMIN)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('does not take a ban with it that was made meanwhile', async () => {
    await ban(BAD)
    const lifting = bans.lift(BAD, ADMIN)
    const again = ban(BAD, 3)
    await Promise.all([lifting, again])
    expect(hoursLeft(BAD)).toBe(3)
    await restart()
    expect(hoursLeft(BAD)).toBe(3)
  })
})

describe('an address that misbehaves', () => {
  it.each([
    ['not_found', 5, 'Asked for too many pages that do not exist.'],
    ['bad_key', 3, 'Tried too many API keys that do not exist.'],
    ['failed_login', 2, 'Failed to sign in too often.'],
  ] as const)('%s: is banned by the one that is too many, at once', async (misdeed, threshold, reason) => {
    await misbehave(BAD, threshold - 1, misdeed)
    expect(bans.of(BAD)).toBeUndefined()
    bans.note(BAD, misdeed)
    expect(bans.of(BAD)).toMatchObject({ cause: misdeed, reason, createdBy: 'sauda', expiresAt: START + HOUR_MS })
    expect(bans.of('203.0.113.8')).toBeUndefined()
    await settled()
    expect(audit).toMatchObject([{ actor: 'sauda', action: 'ban.created', target: BAD, address: '' }])
    await restart()
    expect(hoursLeft(BAD)).toBe(1)
  })

  it('has each kind counted by itself', async () => {
    for (const misdeed of ['not_found', 'bad_key', 'failed_login'] as const) await misbehave(BAD, 1, misdeed)
    await misbehave(BAD, 1)
    expect(bans.of(BAD)).toBeUndefined()
    await misbehave(BAD, 1)
    expect(bans.of(BAD)?.cause).toBe('bad_key')
  })

  it('is counted from its first misdeed to the end of the window, and then anew', async () => {
    await misbehave(BAD, 1)
    clock.advance(HOUR_MS - 1)
    await misbehave(BAD, 1)
    clock.advance(1)
    await misbehave(BAD, 2)
    expect(bans.of(BAD)).toBeUndefined()
    clock.advance(HOUR_MS - 1)
    await misbehave(BAD, 1)
    expect(bans.of(BAD)).toBeDefined()
  })

  it('is banned twice as long each time within 90 days, 30 days at most, also across restarts', async () => {
    const lengths: number[] = []
    for (let time = 0; time < 12; time += 1) {
      await misbehave(BAD)
      lengths.push(hoursLeft(BAD))
      clock.moveTo(bans.of(BAD)?.expiresAt ?? Number.NaN)
      if (time === 3) await restart()
    }
    expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720, 720])
    clock.advance(91 * DAY_MS)
    await misbehave(BAD)
    expect(hoursLeft(BAD)).toBe(1)
    expect(await bans.history(100, undefined)).toHaveLength(13)
  })

  it('is not banned longer for what a person decided', async () => {
    await ban(BAD, 1)
    clock.advance(HOUR_MS)
    await misbehave(BAD)
    expect(hoursLeft(BAD)).toBe(1)
  })

  it('begins at nought after its ban was lifted', async () => {
    await misbehave(BAD)
    await bans.lift(BAD, ADMIN)
    await misbehave(BAD, 2)
    expect(bans.of(BAD)).toBeUndefined()
  })

  it('and is lifted at once, while its history is looked up, is not banned after all', async () => {
    for (let time = 0; time < 3; time += 1) bans.note(BAD, 'bad_key')
    await bans.lift(BAD, ADMIN)
    await settled()
    expect([bans.of(BAD), await bans.history(10, undefined)]).toEqual([undefined, []])
  })

  it('is not banned when it is this machine, a proxy that many come through, or unknown', async () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '10.1.2.3', '']) {
      await misbehave(address, 20)
      expect(bans.of(address)).toBeUndefined()
    }
    expect(bans.list()).toEqual([])
  })

  it('may be a client with a whole network of IPv6', async () => {
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::']) bans.note(address, 'bad_key')
    await settled()
    expect(bans.of('2001:db8::ffff')).toMatchObject({ address: '2001:db8:0:0::/64', cause: 'bad_key' })
    expect(bans.of('2001:db8:0:1::1')).toBeUndefined()
    await restart()
    expect(bans.of('2001:db8::ffff')).toBeDefined()
  })

  it('is left alone unless that is switched on; bans by hand hold all the same', async () => {
    await restart({ automatic: false })
    await misbehave(BAD, 100)
    expect(bans.of(BAD)).toBeUndefined()
    await ban(BAD)
    expect(bans.of(BAD)).toBeDefined()
  })

  it('is forgotten when too many others began after it, and only then', async () => {
    const other = (index: number) => `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
    bans.note('203.0.113.1', 'bad_key')
    bans.note('203.0.113.1', 'bad_key')
    bans.note('203.0.113.2', 'bad_key')
    bans.note('203.0.113.2', 'bad_key')
    for (let index = 0; index < COUNTED_ADDRESSES_MAX - 1; index += 1) bans.note(other(index), 'not_found')
    bans.note('203.0.113.2', 'bad_key')
    bans.note('203.0.113.1', 'bad_key')
    await settled()
    expect(bans.list().map(({ address }) => address)).toEqual(['203.0.113.2'])
  })

  it('is counted among the latest when its window begins anew', async () => {
    const other = (index: number) => `172.16.${index >> 8}.${index & 255}`
    bans.note(BAD, 'bad_key')
    for (let index = 0; index < COUNTED_ADDRESSES_MAX - 1; index += 1) bans.note(other(index), 'not_found')
    clock.advance(HOUR_MS)
    bans.note(BAD, 'bad_key')
    bans.note('203.0.113.1', 'bad_key')
    await misbehave(BAD, 2)
    expect(bans.of(BAD)).toBeDefined()
  })

  it('is banned in memory when the disk fails, which is told', async () => {
    await databases.money.writer.close()
    for (let time = 0; time < 3; time += 1) bans.note(BAD, 'bad_key')
    await expect.poll(() => errors.length).toBe(1)
    expect(bans.of(BAD)).toBeDefined()
    expect(errors.splice(0)).toMatchObject([{ code: 'shutting_down' }])
  })
})

describe('the history', () => {
  it('is read a page at a time, newest first', async () => {
    for (let index = 1; index <= 5; index += 1) await ban(`203.0.113.${index}`, index)
    const newest = await bans.history(2, undefined)
    const next = await bans.history(2, newest.at(-1)?.id)
    const last = await bans.history(2, next.at(-1)?.id)
    const pages = [newest, next, last].map((page) => page.map(({ address }) => address))
    expect(pages).toEqual([['203.0.113.5', '203.0.113.4'], ['203.0.113.3', '203.0.113.2'], ['203.0.113.1']])
    expect(bans.list().map(({ address }) => address)).toEqual(pages.flat())
  })

  it('is bounded, and never loses a ban that is in force', async () => {
    await restart({}, 3)
    await ban('203.0.113.1')
    await ban('203.0.113.2')
    await bans.lift('203.0.113.2', ADMIN)
    for (let index = 3; index <= 8; index += 1) {
      await ban(`203.0.113.${index}`, 1)
      clock.advance(HOUR_MS)
    }
    const kept = async () => (await bans.history(100, undefined)).map(({ address }) => address)
    expect(await kept()).toEqual(['203.0.113.8', '203.0.113.7', '203.0.113.6', '203.0.113.1'])
    await restart()
    expect(bans.list().map(({ address }) => address)).toEqual(['203.0.113.1'])
  })
})

it('there are at most so many bans; those that are over make room, and one that is in force can be changed', async () => {
  const rows = Array.from({ length: BANS_MAX }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
  const insert =
    'INSERT INTO ban (address, reason, cause, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)'
  await databases.money.writer.write(
    rows.map((address) => ({ sql: insert, parameters: [address, '', 'manual', 'asha', START, START + HOUR_MS] })),
  )
  await restart()
  await expect(ban(BAD)).rejects.toThrow(`There are ${BANS_MAX} bans, as many as there may be: lift one first.`)
  await misbehave(BAD)
  expect(errors.splice(0)).toMatchObject([{ message: `there are ${BANS_MAX} bans already, so ${BAD} isn't banned` }])
  await ban('10.0.0.5', 9)
  clock.advance(HOUR_MS)
  await ban(BAD)
  expect(bans.list().map(({ address }) => address)).toEqual([BAD, '10.0.0.5'])
})
