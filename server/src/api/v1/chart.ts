import Type from 'typebox'
import type { ChartPreference } from '../../identity/chart-store.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { keyInText } from '../../kernel/scrub.ts'
import { inputRefusal } from '../errors.ts'
import { list, text } from '../field.ts'
import { shorten } from '../field-type.ts'
import { asBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'

/** Preferences of one request. */
export const CHART_CHANGES_MAX = 50
export const CHART_KEY_LENGTH_MAX = 50
/** Characters of one value as JSON text. */
export const CHART_VALUE_LENGTH_MAX = 1024 * 1024

/** Characters of a key that is too long that the message shows. */
const SHOWN_KEY_LENGTH = 20

const ChartData = Type.Record(Type.String(), Type.Unknown(), { description: 'Every preference by its key.' })

export const chart = defineOperation({
  name: 'chart',
  method: 'GET',
  tag: 'Utilities',
  summary: 'What charts remember for you',
  description: 'All your chart preferences, each value as it was set. They belong to the user, not to one key.',
  access: 'read',
  rateClass: 'read',
  keyInQuery: true,
  input: {},
  output: Type.Object({ data: ChartData, status: Type.Literal('success') }),
  example: {},
  async handle(_input, { caller, services }) {
    const rows = await services.charts.all(caller.userId)
    // Values are JSON already, and a name such as __proto__ is safe in text only
    const fields = rows.map(({ key, value }) => `${JSON.stringify(key)}:${value}`)
    return asBody<{ data: Record<string, unknown>; status: 'success' }>(
      `{"data":{${fields.join(',')}},"status":"success"}`,
    )
  },
})

export const chartset = defineOperation({
  name: 'chart/set',
  alsoAt: 'chart',
  method: 'POST',
  tag: 'Utilities',
  summary: 'Remember chart preferences',
  description:
    `Sets 1 to ${CHART_CHANGES_MAX} preferences: every field besides the key of the API is one, with any JSON value. ` +
    'Others stay as they are; all are set or none.',
  access: 'read',
  rateClass: 'read',
  input: {},
  others: { description: 'Any JSON value.' },
  output: Type.Object({ message: Type.String(), status: Type.Literal('success') }),
  example: { tv_theme: 'dark', tv_chart_layout: { interval: '15m', studies: ['EMA', 'RSI'] } },
  refusals: ['too_many_preferences'],
  async handle(_input, { caller, others, visit, services }) {
    await services.charts.set(caller.userId, preferencesOf(others ?? new Map(), visit.apiKey))
    return { message: 'Preferences updated successfully', status: 'success' as const }
  },
})

export const chartdelete = defineOperation({
  name: 'chart/delete',
  method: 'POST',
  tag: 'Utilities',
  summary: 'Forget chart preferences',
  description:
    'Deletes preferences by their keys. Keys that there are not are no failure; the answer names those that were.',
  access: 'read',
  rateClass: 'read',
  input: {
    keys: list(text({ min: 1, max: CHART_KEY_LENGTH_MAX }), {
      min: 1,
      max: CHART_CHANGES_MAX,
      description: 'Keys of the preferences.',
    }),
  },
  output: Type.Object({
    deleted: Type.Array(Type.String(), { description: 'Keys that there were.' }),
    message: Type.String(),
    status: Type.Literal('success'),
  }),
  example: { keys: ['tv_theme'] },
  async handle({ keys }, { caller, services }) {
    const deleted = await services.charts.delete(caller.userId, keys)
    return { deleted: [...deleted], message: `Deleted ${deleted.length} preferences`, status: 'success' as const }
  },
})

/** What is to be stored, or validation_failed. */
function preferencesOf(others: ReadonlyMap<string, unknown>, apiKey: string): readonly ChartPreference[] {
  const wrong = (field: string, message: string) => inputRefusal([{ field, message }], apiKey)
  if (others.size === 0)
    throw wrong('', 'No preferences provided to update. Send at least one field, such as {"tv_theme":"dark"}.')
  if (others.size > CHART_CHANGES_MAX)
    throw wrong('', `Too many preference keys (max ${CHART_CHANGES_MAX}). Got ${others.size}.`)
  const errors: FieldError[] = []
  const preferences: ChartPreference[] = []
  for (const [key, value] of others) {
    const json = JSON.stringify(value)
    const problem = problemOf(key, json)
    if (problem === undefined) preferences.push({ key, value: json })
    else errors.push({ field: shorten(key), message: problem })
  }
  if (errors.length > 0) throw inputRefusal(errors, apiKey)
  return preferences
}

function problemOf(key: string, json: string): string | undefined {
  if (key === '') return 'A preference key must not be empty.'
  if (key.length > CHART_KEY_LENGTH_MAX) {
    const shown = key.slice(0, SHOWN_KEY_LENGTH).toWellFormed()
    return `Preference key too long: ${shown}... (max ${CHART_KEY_LENGTH_MAX} chars)`
  }
  if (!key.isWellFormed()) return 'A preference key must not contain half of a surrogate pair.'
  if (json.length > CHART_VALUE_LENGTH_MAX)
    return `Preference value too large for key: ${key} (max 1MB). Got ${json.length} characters of JSON.`
  return keyInText(key) ?? keyInText(json) // it would be shown to every other key of the user
}
