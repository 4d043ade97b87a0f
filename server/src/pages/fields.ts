import { html } from 'ghtml'
import type { Status } from './page.ts'
import type { Problems } from './problems.ts'

interface Described {
  readonly name: string
  readonly label: string
  /** One sentence under the label. */
  readonly hint?: string
}

export interface InputField extends Described {
  readonly type?: 'text' | 'email' | 'password'
  /** What was typed before; never of a password. */
  readonly value?: string
  readonly autocomplete?: string
  readonly inputMode?: 'numeric' | 'text'
  readonly lengthMax?: number
  readonly isOptional?: boolean
  /** Where the page begins, unless something is wrong elsewhere. */
  readonly isFirst?: boolean
  /** Codes and addresses: typed letter by letter, not written. */
  readonly isCode?: boolean
}

export interface Option {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

const idOf = (name: string): string => `field-${name}`

/** What a field says about itself, and the attributes that tie it to the field; both HTML. */
function about({ name, hint }: Described, problems: Problems): { attributes: string; hint: string; error: string } {
  const id = idOf(name)
  const error = problems.fields.get(name)
  const ids = [...(hint === undefined ? [] : [`${id}-hint`]), ...(error === undefined ? [] : [`${id}-error`])]
  return {
    attributes:
      (ids.length === 0 ? '' : ` aria-describedby="${ids.join(' ')}"`) +
      (error === undefined ? '' : ' aria-invalid="true"'),
    hint: hint === undefined ? '' : html`<p class="hint" id="${id}-hint">${hint}</p>`,
    error: error === undefined ? '' : html`<p class="error" id="${id}-error">${error}</p>`,
  }
}

/** The first field that is wrong, else the one that comes first. */
function beginsAt({ name }: Described, isFirst: boolean, problems: Problems): string {
  const [wrong] = problems.fields.keys()
  return (wrong === undefined ? isFirst : wrong === name) ? ' autofocus' : ''
}

export function input(field: InputField, problems: Problems): string {
  const { name, label, type = 'text', value = '', autocomplete = 'off' } = field
  const told = about(field, problems)
  const more = [
    field.isOptional ? '' : ' required',
    field.lengthMax === undefined ? '' : ` maxlength="${field.lengthMax}"`,
    field.inputMode === undefined ? '' : ` inputmode="${field.inputMode}"`,
    type === 'text' || field.isCode ? ' autocapitalize="none" spellcheck="false"' : '',
    field.isCode ? ' class="code"' : '',
    beginsAt(field, field.isFirst ?? false, problems),
  ].join('')
  const shown = type === 'password' ? '' : value
  return html`<div class="field">
<label for="${idOf(name)}">${label}!${field.isOptional ? ' <span class="optional">optional</span>' : ''}</label>
!${told.hint}!${told.error}<input id="${idOf(name)}" name="${name}" type="${type}" value="${shown}" autocomplete="${autocomplete}"!${told.attributes}!${more}>
</div>`
}

export function select(
  field: Described & { readonly value: string; readonly options: readonly Option[] },
  problems: Problems,
): string {
  const { name, label, value, options } = field
  const told = about(field, problems)
  const choices = options.map(
    (option) =>
      html`<option value="${option.value}"!${option.value === value ? ' selected' : ''}>${option.label}</option>`,
  )
  return html`<div class="field">
<label for="${idOf(name)}">${label}</label>
!${told.hint}!${told.error}<select id="${idOf(name)}" name="${name}"!${told.attributes}!${beginsAt(field, false, problems)}>!${choices.join('')}</select>
</div>`
}

type Choices = Described & { readonly options: readonly Option[] }

export const checkBoxes = (field: Choices & { readonly values: readonly string[] }, problems: Problems): string =>
  choices('checkbox', field, field.values, problems)

export const radioButtons = (field: Choices & { readonly value: string }, problems: Problems): string =>
  choices('radio', field, [field.value], problems)

function choices(type: 'checkbox' | 'radio', field: Choices, values: readonly string[], problems: Problems): string {
  const { name, label, options } = field
  const told = about(field, problems)
  const boxes = options.map(({ value, label: shown, hint = '' }, index) => {
    // The link to the field that is wrong leads to the first box.
    const id = index === 0 ? idOf(name) : `${idOf(name)}-${value}`
    const isChecked = values.includes(value) ? ' checked' : ''
    const focus = index === 0 ? beginsAt(field, false, problems) : ''
    return html`<label class="box" for="${id}"><input id="${id}" type="${type}" name="${name}" value="${value}"!${isChecked}!${focus}>
<span><strong>${shown}</strong><small>${hint}</small></span></label>`
  })
  return html`<fieldset class="field"!${type === 'radio' ? ' role="radiogroup"' : ''}!${told.attributes}>
<legend>${label}</legend>
!${told.hint}!${told.error}!${boxes.join('\n')}
</fieldset>`
}

/** Tells password managers whose password a form of somebody who is signed in asks for; nobody sees it. */
export const whose = ({ user }: Status): string =>
  html`<input class="unseen" type="text" name="username" value="${user?.name ?? ''}" autocomplete="username" aria-hidden="true" tabindex="-1" readonly>`

export const hidden = (name: string, value: string): string =>
  html`<input type="hidden" name="${name}" value="${value}">`

/** What is wrong with the form as a whole, above it and read out at once, and which fields to look at. */
export function summary({ message, fields }: Problems, labels: Readonly<Record<string, string>>): string {
  if (message === '' && fields.size === 0) return ''
  const links = Array.from(fields.keys(), (name) => html`<a href="#${idOf(name)}">${labels[name] ?? name}</a>`)
  const said = message === '' ? '' : html`<p>${message}</p>`
  return html`<div class="problem" role="alert">!${said}!${links.length === 0 ? '' : `<p>Please look again at: ${links.join(', ')}</p>`}</div>`
}

/** A form that is sent to us. `body` is HTML. */
export const form = (
  action: string,
  csrfField: string,
  body: string,
): string => html`<form method="post" action="${action}">
!${csrfField}
!${body}
</form>`

export const submit = (label: string, kind: 'main' | 'danger' = 'main'): string =>
  html`<button class="${kind}" type="submit">${label}</button>`
