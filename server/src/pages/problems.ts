import { errorAnswer } from '../api/errors.ts'
import { Refusal } from '../kernel/errors.ts'
import type { PageContext, Reaction, View } from './page.ts'

/** What was wrong with a form: at its fields, and as a whole. */
export interface Problems {
  /** Empty when everything is told at the fields. */
  readonly message: string
  /** By the name of the field. */
  readonly fields: ReadonlyMap<string, string>
  readonly code: string
}

export const NO_PROBLEMS: Problems = { message: '', fields: new Map(), code: '' }

/** Refusals that no change to the form mends. */
const NOT_OF_THE_FORM = new Set(['session_missing', 'already_set_up', 'not_found', 'shutting_down'])

/**
 * Does what a form asks for, or shows the form again with what was wrong with it. `shown` are the names of its fields:
 * only at those can something be told.
 */
export async function orAgain(
  { visit, wantsJson }: PageContext,
  shown: readonly string[],
  act: () => Promise<Reaction>,
  again: (problems: Problems) => View | Promise<View>,
): Promise<Reaction> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Refusal) || wantsJson || NOT_OF_THE_FORM.has(error.code)) throw error
    const { status, headers, code } = errorAnswer(error, visit.id)
    visit.errorCode = code
    const view = await again(problemsOf(error, shown))
    const retryAfter = headers['retry-after']
    // A view with a status of its own is itself about what went wrong
    const title = view.status === undefined ? `Error: ${view.title}` : view.title
    return {
      ...view,
      title,
      status,
      ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
    }
  }
}

export function problemsOf({ code, message, errors = [] }: Refusal, shown: readonly string[]): Problems {
  const fields = new Map<string, string>()
  const elsewhere: string[] = []
  for (const { field, message: text } of errors) {
    const [name = ''] = field.split(/[.[]/, 1)
    if (!shown.includes(name)) elsewhere.push(`${field}: ${text}`)
    else if (!fields.has(name)) fields.set(name, text)
  }
  return { code, fields, message: errors.length === 0 ? message : elsewhere.join(' ') }
}
