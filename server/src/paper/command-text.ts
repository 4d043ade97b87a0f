import type { Command } from './command.ts'

/** What many commands share, as JSON: written once. */
const sharedText = new WeakMap<object, string>()
/** Fields whose objects live on and never change. */
const SHARED: ReadonlySet<string> = new Set(['instrument', 'session', 'terms', 'charges', 'book'])

/** Texts that JSON has as they are: ASCII without quotes and backslashes. */
const PLAIN = /^[ !#-[\]-~]*$/

/**
 * A command as its journal row has it: JSON of all but its kind and instant, which are columns. By hand, since it is a
 * part of every order: half the time of JSON.stringify, which reads it back the same.
 */
export function commandText(command: Command): string {
  let text = ''
  for (const name in command) {
    if (name === 'kind' || name === 'at') continue
    const value: unknown = command[name as keyof Command]
    if (value === undefined) continue
    text += text === '' ? `{"${name}":` : `,"${name}":`
    if (typeof value === 'number') text += value
    else if (typeof value === 'string' && PLAIN.test(value)) text += `"${value}"`
    else if (typeof value === 'object' && value !== null && SHARED.has(name)) text += sharedTextOf(value)
    else text += JSON.stringify(value)
  }
  return text === '' ? '{}' : `${text}}`
}

function sharedTextOf(value: object): string {
  let text = sharedText.get(value)
  if (text === undefined) {
    text = JSON.stringify(value)
    sharedText.set(value, text)
  }
  return text
}
