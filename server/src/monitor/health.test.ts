import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import {
  ALERTS_KEPT,
  type Alert,
  above,
  below,
  type Check,
  Health,
  type HealthState,
  SAMPLE_EVERY_MS,
  SAMPLES_KEPT,
} from './health.ts'

const START = 1_790_000_000_000

function healthOf(names: readonly string[], options: { intervalMs?: number; ready?: readonly string[] } = {}) {
  const clock = new ManualClock(START)
  const states = new Map<string, HealthState | Error>()
  const renewed: string[] = []
  const told: Alert[] = []
  const checks = names.map(
    (name): Check => ({
      name,
      isReadiness: options.ready?.includes(name) ?? false,
      read: () => {
        const state = states.get(name) ?? 'pass'
        if (state instanceof Error) throw state
        return { state, value: states.size, unit: 'MiB', message: state === 'pass' ? '' : `it is a ${state}` }
      },
      renew: () => {
        renewed.push(name)
      },
    }),
  )
  const intervalMs = options.intervalMs ?? SAMPLE_EVERY_MS
  const health = new Health({ clock, checks, intervalMs, onAlert: (alert) => told.push(alert) })
  const look = (times = 1) => clock.advance(times * intervalMs)
  return { clock, health, states, told, look, renewed }
}

describe('alerts', () => {
  it('open once, however long it lasts, and end after three good looks in a row', () => {
    const { health, states, told, look } = healthOf(['memory'])
    look()
    expect(told).toEqual([])
    states.set('memory', 'warn')
    look(5)
    const opened = { id: 1, name: 'memory', state: 'warn', message: 'it is a warn', openedAt: START + 20_000 }
    expect(told).toEqual([{ ...opened, resolvedAt: undefined }])
    states.delete('memory')
    look(2)
    expect(told).toHaveLength(1)
    look(1)
    expect(told.slice(1)).toEqual([{ ...opened, resolvedAt: START + 90_000 }])
    expect(health.alerts(10)).toEqual(told.slice(1))
  })

  it('do not flicker with what crosses its limit again and again', () => {
    const { states, told, look } = healthOf(['memory'])
    for (let turn = 0; turn < 50; turn += 1) {
      states.set('memory', 'warn')
      look()
      states.delete('memory')
      look(2)
    }
    expect(told).toHaveLength(1)
  })

  it('tell when a warning becomes a failure, not when it becomes less', () => {
    const { health, states, told, look } = healthOf(['journal'])
    for (const state of ['warn', 'fail', 'warn', 'fail'] as const) {
      states.set('journal', state)
      look()
    }
    expect(told.map(({ id, state }) => [id, state])).toEqual([
      [1, 'warn'],
      [1, 'fail'],
    ])
    expect(health.alerts(10)).toEqual([told[1]])
  })

  it('belong to one check each, and are kept up to a number, newest first', () => {
    const { health, states, told, look } = healthOf(['journal', 'memory'])
    states.set('memory', 'warn')
    look()
    for (let turn = 0; turn < ALERTS_KEPT; turn += 1) {
      states.set('journal', 'fail')
      look()
      states.delete('journal')
      look(3)
    }
    expect(health.alerts(ALERTS_KEPT + 1)).toHaveLength(ALERTS_KEPT)
    expect(health.alerts(2).map(({ id }) => id)).toEqual([ALERTS_KEPT + 1, ALERTS_KEPT])
    states.delete('memory')
    look(3)
    expect(told.at(-1)).toMatchObject({ id: 1, name: 'memory', resolvedAt: expect.any(Number) })
  })

  it('open and end in turns, whatever happens', () => {
    const state = fc.constantFrom<HealthState>('pass', 'warn', 'fail')
    fc.assert(
      fc.property(fc.array(state, { maxLength: 60 }), (course) => {
        const { states, told, look } = healthOf(['disk'])
        for (const each of course) {
          states.set('disk', each)
          look()
        }
        const perAlert = Map.groupBy(told, ({ id }) => id)
        let lastEnd = 0
        for (const tale of perAlert.values()) {
          expect(tale.length).toBeLessThanOrEqual(3)
          expect(tale.filter(({ resolvedAt }) => resolvedAt !== undefined).length).toBeLessThanOrEqual(1)
          expect(tale[0]?.openedAt).toBeGreaterThan(lastEnd)
          lastEnd = tale.at(-1)?.resolvedAt ?? Number.POSITIVE_INFINITY
        }
      }),
    )
  })
})

describe('readiness', () => {
  it('is lost only by what counts for it, and says why', () => {
    const { health, states } = healthOf(['journal', 'memory'], { ready: ['journal'] })
    states.set('memory', 'fail')
    expect(health.notReady()).toEqual([])
    states.set('journal', 'warn')
    expect(health.notReady()).toEqual([])
    states.set('journal', 'fail')
    expect(health.notReady()).toEqual(['journal: it is a fail'])
  })

  it('is lost by a check that can not look', () => {
    const { health, states } = healthOf(['journal', 'memory'], { ready: ['journal'] })
    states.set('journal', new Error('no such file'))
    expect(health.notReady()).toEqual(['journal: no such file'])
    expect(health.read().map(({ name, state }) => [name, state])).toEqual([
      ['journal', 'fail'],
      ['memory', 'pass'],
    ])
  })
})

describe('regular looks', () => {
  it('begin the next period of what is measured between them, which questions do not', () => {
    const { health, look, renewed } = healthOf(['loop', 'memory'])
    health.read()
    health.notReady()
    expect(renewed).toEqual([])
    look()
    expect(renewed).toEqual(['loop', 'memory'])
  })

  it('are kept for a day, newest first, with the worst state', () => {
    const { health, states, look } = healthOf(['memory', 'disk'])
    states.set('disk', 'warn')
    look()
    states.set('memory', 'fail')
    look()
    expect(health.samples(5)).toEqual([
      { at: START + 20_000, state: 'fail', readings: { memory: 2, disk: 2 } },
      { at: START + 10_000, state: 'warn', readings: { memory: 1, disk: 1 } },
    ])
    look(SAMPLES_KEPT + 5)
    const kept = health.samples(SAMPLES_KEPT + 10)
    expect(kept).toHaveLength(SAMPLES_KEPT)
    expect((kept[0]?.at ?? 0) - (kept.at(-1)?.at ?? 0)).toBe(86_400_000 - SAMPLE_EVERY_MS)
  })

  it('that come faster are not all kept', () => {
    const { health, clock, told, states } = healthOf(['memory'], { intervalMs: 1_000 })
    states.set('memory', 'warn')
    clock.advance(1_000)
    expect(told).toHaveLength(1)
    clock.advance(59_000)
    expect(health.samples(100)).toHaveLength(6)
  })

  it('end when it is closed', () => {
    const { health, look, renewed } = healthOf(['memory'])
    health.close()
    look(3)
    expect(renewed).toEqual([])
  })
})

it.each([
  ['above', above(99, 100, 'ms', 'Do this.'), 'pass'],
  ['above', above(100, 100, 'ms', 'Do this.'), 'warn'],
  ['below', below(100, 100, 'MiB', 'Do this.'), 'pass'],
  ['below', below(99, 100, 'MiB', 'Do this.'), 'warn'],
] as const)('a reading that warns %s a limit: %o', (_kind, reading, state) => {
  expect(reading.state).toBe(state)
  expect(reading.message.includes('Do this.')).toBe(state === 'warn')
})
