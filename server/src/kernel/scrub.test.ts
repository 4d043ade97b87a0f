import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SCRUBBED, scrubText } from './scrub.ts'

const KEY = `sk_${'Ab3_-xYz'.repeat(6).slice(0, 43)}`
const escaped = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`

it('takes an API key out of a text, whichever of its characters are escaped', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('plain', 'lower', 'upper'), { minLength: KEY.length, maxLength: KEY.length }),
      (ways) => {
        const written = [...KEY].map((character, at) => {
          if (ways[at] === 'plain') return character
          return ways[at] === 'lower' ? escaped(character) : escaped(character).toUpperCase()
        })
        expect(scrubText(`/api/v1/${written.join('')}/x`)).toBe(`/api/v1/${SCRUBBED}/x`)
      },
    ),
  )
})

it.each(['', '/api/v1/funds', '100 % sure', '/x/%73k_short', `/SK_${KEY.slice(3)}`])('leaves %j as it is', (text) => {
  expect(scrubText(text)).toBe(text)
})
