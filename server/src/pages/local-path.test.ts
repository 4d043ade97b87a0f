import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localPath, pathWith } from './local-path.ts'

test.each([
  ['/', '/'],
  ['/keys', '/keys'],
  ['/keys/rotate?id=key_1&x=2', '/keys/rotate?id=key_1&x=2'],
  ['/a/../keys', '/keys'],
  ['/keys#part', '/keys'],
])('%s is a path of ours', (text, path) => {
  expect(localPath(text)).toBe(path)
})

test.each([
  null,
  '',
  'keys',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/x/..//evil.example',
  '/.//evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  '/\t/evil.example',
  '/\n/evil.example',
  ' /keys',
  '/keys x',
  '/ключи',
  `/${'x'.repeat(512)}`,
])('%j is none', (text) => {
  expect(localPath(text)).toBeUndefined()
})

test('whatever is let through stays with us, as browsers read it', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '//',
    'evil.example',
    '@',
    ':',
    '?',
    '#',
    '%2f',
    '%5c',
    '\t',
    '\r\n',
    'https:',
    'a',
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string(),
  )
  fc.assert(
    fc.property(text, (given) => {
      const path = localPath(given)
      if (path === undefined) return
      const read = new URL(path, 'https://sauda.example/login')
      expect(read.origin).toBe('https://sauda.example')
      expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/)
    }),
    { numRuns: 5_000 },
  )
})

test('a query is added only when there is one', () => {
  expect(pathWith('/login', { next: undefined, other: '' })).toBe('/login')
  expect(pathWith('/login', { next: '/keys?id=1&x=ä' })).toBe('/login?next=%2Fkeys%3Fid%3D1%26x%3D%C3%A4')
})
