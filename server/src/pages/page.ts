import type { Static } from 'typebox'
import type { Operations } from '../api/v1/index.ts'
import type { Visit } from '../api/visit.ts'
import type { Form } from './form.ts'

/** Runs an operation as the session of a visit, with everything that a call from outside meets. Throws Refusal. */
export type Call = (operation: string, input: object, visit: Visit) => Promise<Record<string, unknown>>

export type OperationName = Operations[number]['name']
/** Body of an operation's answer. */
export type AnswerOf<Name extends OperationName> = Static<Extract<Operations[number], { name: Name }>['output']>
export type Status = AnswerOf<'auth/status'>['data']

/** What a page is made from: who asks, what they sent, and the operations. */
export interface PageContext {
  readonly visit: Visit
  readonly status: Status
  readonly query: URLSearchParams
  /** Empty unless a form was sent. */
  readonly form: Form
  /** A program asks, which is answered with JSON: what the page is made from, or what went wrong. */
  readonly wantsJson: boolean
  /** Where the browser finds Sauda, such as `http://127.0.0.1:5000`. */
  readonly origin: string
  ask<Name extends OperationName>(operation: Name, input?: object): Promise<AnswerOf<Name>>
  /**
   * Leads a browser to a page of this path, which shows the view, this once, when it asks for `takeOnce`. A program gets
   * the view's data at once.
   */
  showOnce(path: string, view: View): Reaction
  /** What `showOnce` keeps for this address and session; undefined when it was seen or is too old. */
  takeOnce(): View | undefined
  /** The hidden field of every form that is sent; HTML. */
  csrfField(): string
}

/** Something to show. All text in it is HTML. */
export interface View {
  /** As plain text: the heading of the browser's window. */
  readonly title: string
  readonly body: string
  /** 200 unless it says otherwise. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** For a caller that prefers JSON, instead of the page. */
  readonly data?: unknown
  /** One column for one form, rather than the width of a page that is read. */
  readonly narrow?: boolean
}

/** Where the browser goes next; always a path of ours. */
export interface Redirect {
  readonly redirect: string
}

export type Reaction = View | Redirect

export interface Page {
  readonly path: string
  /** `guests`: whoever is signed in is led home. */
  readonly for: 'everybody' | 'guests' | 'members'
  /** Shown before the instance is set up, and only then. */
  readonly isSetUp?: true
  readonly get?: (context: PageContext) => Reaction | Promise<Reaction>
  /**
   * A sent form. What succeeded is followed by a redirect, so that a reload doesn't do it again; what makes a key is
   * answered at once, and known again by its form's id.
   */
  readonly post?: (context: PageContext) => Promise<Reaction>
  /** The page that shows the form, for one that is only posted to. */
  readonly formAt?: string
}
