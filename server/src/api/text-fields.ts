import { dateOf, dayNumberOf, type ExchangeDate } from '../kernel/exchange-time.ts'
import { nearestNames } from '../kernel/nearest.ts'
import { keyInText } from '../kernel/scrub.ts'
import { type Describe, type Field, makeField, problem, shown } from './field-type.ts'

export const TEXT_LENGTH_MAX = 256

export interface TextOptions extends Describe<string> {
  readonly min?: number
  readonly max?: number
  /** The sentence for a wrong length; it starts the message. */
  readonly rule?: string
  /** Removes white space around it and turns it into upper case, as symbols are written. */
  readonly canonical?: boolean
  /** Takes a whole JSON number as its digits; some clients send order ids that way. */
  readonly digits?: boolean
  /** A password or the like: messages don't repeat it. */
  readonly secret?: boolean
}

/**
 * Text of `min` to `max` characters without control characters and without any API key, which would be kept and shown again;
 * otherwise unchanged unless `canonical`.
 */
export function text(options: TextOptions = {}): Field<string, string, true> {
  const { min = 0, max = TEXT_LENGTH_MAX, canonical = false, digits = false, secret = false } = options
  const rule = options.rule ?? lengthRule(min, max, options.max !== undefined)
  const schema = { type: 'string', ...(min > 0 ? { minLength: min } : {}), maxLength: max }
  return makeField<string, string>(schema, options, (value) => {
    const given = digits && typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
    if (typeof given !== 'string')
      return problem(secret ? 'Not a valid string.' : `Not a valid string. Got ${shown(value)}.`)
    const read = canonical ? given.trim().toUpperCase() : given
    if (read.length < min || read.length > max) return problem(secret ? rule : `${rule} Got ${shown(value)}.`)
    const odd = oddCharacter(read)
    if (odd !== undefined) return problem(`Must not contain ${odd}.`)
    const leak = secret ? undefined : keyInText(given)
    return leak === undefined ? read : problem(leak)
  })
}

function lengthRule(min: number, max: number, bounded: boolean): string {
  if (min > 0 && bounded) return `Length must be between ${min} and ${max}.`
  return min > 0 ? `Shorter than minimum length ${min}.` : `Longer than maximum length ${max}.`
}

function oddCharacter(read: string): string | undefined {
  for (let index = 0; index < read.length; index += 1) {
    const code = read.charCodeAt(index)
    if (code < 0x20 || code === 0x7f) {
      return `control characters (character ${index + 1} is U+${code.toString(16).toUpperCase().padStart(4, '0')})`
    }
  }
  return read.isWellFormed() ? undefined : 'half of a surrogate pair'
}

export interface ChoiceOptions<Word extends string> extends Describe<Word> {
  /** Accepts each word in lower case too. */
  readonly lowerCase?: boolean
  /** The sentence for anything else; it starts the message. */
  readonly rule?: string
  /** Words that others use for one of these; named in the message, not accepted. */
  readonly alsoKnownAs?: Readonly<Record<string, Word>>
}

/** One of a few words, exactly as written. */
export function choice<const Word extends string>(
  words: readonly Word[],
  options: ChoiceOptions<Word> & { readonly lowerCase: true },
): Field<Word | Lowercase<Word>, Word, true>
export function choice<const Word extends string>(
  words: readonly Word[],
  options?: ChoiceOptions<Word>,
): Field<Word, Word, true>
export function choice<const Word extends string>(
  words: readonly Word[],
  options: ChoiceOptions<Word> = {},
): Field<Word, Word, true> {
  const accepted = new Map<string, Word>(words.map((word) => [word, word]))
  if (options.lowerCase === true) for (const word of words) accepted.set(word.toLowerCase(), word)
  const rule = options.rule ?? `Must be one of: ${[...accepted.keys()].join(', ')}.`
  const hintOf = (given: string): Word | undefined => {
    const aliases = options.alsoKnownAs
    if (aliases !== undefined && Object.hasOwn(aliases, given)) return aliases[given]
    return nearestWord(given, words)
  }
  return makeField<Word, Word>({ type: 'string', enum: [...accepted.keys()] }, options, (value) => {
    if (typeof value !== 'string') return problem(`${rule} Got ${shown(value)}.`)
    const word = accepted.get(value)
    if (word !== undefined) return word
    const hint = hintOf(value)
    return problem(`${rule} Got ${shown(value)}${hint === undefined ? '.' : `; did you mean ${hint}?`}`)
  })
}

/** The word that someone who wrote `given` most likely meant. */
export function nearestWord<Word extends string>(given: string, words: readonly Word[]): Word | undefined {
  if (given.length > 64) return undefined
  const plain = given.trim()
  const sameButCase = words.filter((word) => word.toLowerCase() === plain.toLowerCase())
  if (sameButCase.length > 0) return sameButCase[0]
  return nearestNames(plain, words, 1)[0] as Word | undefined
}

const TRUE_WORDS = ['t', 'T', 'true', 'True', 'TRUE', 'on', 'On', 'ON', 'y', 'Y', 'yes', 'Yes', 'YES', '1'] as const
const FALSE_WORDS = ['f', 'F', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF', 'n', 'N', 'no', 'No', 'NO', '0'] as const
export type FlagWire = boolean | 0 | 1 | (typeof TRUE_WORDS)[number] | (typeof FALSE_WORDS)[number]
const FLAGS = new Map<unknown, boolean>([
  ...[true, 1, ...TRUE_WORDS].map((word) => [word, true] as const),
  ...[false, 0, ...FALSE_WORDS].map((word) => [word, false] as const),
])

/** true or false, 1 or 0, or one of the usual words for them. */
export const flag = (options: Describe<FlagWire> = {}): Field<FlagWire, boolean, true> =>
  makeField<FlagWire, boolean>({ type: ['boolean', 'integer', 'string'] }, options, (value) => {
    const read = FLAGS.get(value)
    return read ?? problem(`Not a valid boolean. Got ${shown(value)}; send true or false.`)
  })

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})$/

/** A calendar date, `YYYY-MM-DD`; month and day may have one digit. */
export const date = (options: Describe<string> = {}): Field<string, ExchangeDate, true> =>
  makeField<string, ExchangeDate>({ type: 'string', format: 'date' }, options, (value) => {
    const match = typeof value === 'string' ? DATE.exec(value.trim()) : null
    if (match !== null) {
      const [, year = '', month = '', day = ''] = match
      const read = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
      const dayNumber = dayNumberOf(read)
      // Dates before 1000 would need padding that no exchange's history does.
      if (!Number.isNaN(dayNumber) && year >= '1000' && dateOf(dayNumber) === read) return read
    }
    return problem(`Not a valid date. Got ${shown(value)}; write it as YYYY-MM-DD, such as 2026-08-25.`)
  })
