import { expect, test } from 'vitest'
import { ORIGINS_MAX, parseOrigins } from './origins.ts'

test.each([
  ['', []],
  ['https://charts.example.com', ['https://charts.example.com']],
  ['http://localhost:3000,https://a.example https://a.example', ['http://localhost:3000', 'https://a.example']],
  ['http://[::1]:8080', ['http://[::1]:8080']],
  ['tauri://localhost', ['tauri://localhost']],
  ['chrome-extension://abcdefghijklmnop', ['chrome-extension://abcdefghijklmnop']],
])('"%s" lists origins', (text, origins) => {
  expect(parseOrigins(text)).toEqual(origins)
})

test.each([
  '*',
  'null',
  'https://*.example.com',
  'charts.example.com',
  '//charts.example.com',
  'https://charts.example.com/',
  'https://charts.example.com/path',
  'https://Charts.example.com',
  'https://charts.example.com:443',
  'http://charts.example.com:80',
  'https://charts.example.com:99999',
  'https://user@charts.example.com',
  'https://charts.example.com?x',
  'file://',
  'https://a.example; https://b.example',
  'https://a.example, *',
])('"%s" does not', (text) => {
  expect(parseOrigins(text)).toBeUndefined()
})

test('a list has a bound', () => {
  const list = (length: number): string => Array.from({ length }, (_, n) => `https://${n}.example`).join()
  expect(parseOrigins(list(ORIGINS_MAX))).toHaveLength(ORIGINS_MAX)
  expect(parseOrigins(list(ORIGINS_MAX + 1))).toBeUndefined()
})
