import type { Static, TSchema } from 'typebox'
import type { Caller } from '../identity/caller.ts'
import type { Scope } from '../identity/scope.ts'
import type { FieldError, RefusalCode } from '../kernel/errors.ts'
import type { Fields, JsonSchema, ValueOf, WireOf } from './field-type.ts'
import type { Services } from './services.ts'
import type { Visit } from './visit.ts'

/**
 * Who may ask: a key with this scope or a session whose role has it (`trade` includes `read`, `admin` everything); only a
 * session; or anybody.
 */
export type Access = Scope | 'session' | 'public'
/** Which budget of requests an operation draws on. Order-writing operations of one key share one. */
export type RateClass = 'read' | 'heavy' | 'order' | 'smart-order' | 'killswitch' | 'login' | 'reset'
export type Method = 'GET' | 'POST'
/** Heading that the documents show an operation under. */
export type Tag =
  | 'Orders'
  | 'Risk'
  | 'Account'
  | 'Market data'
  | 'Symbols'
  | 'Calendar'
  | 'Analyzer'
  | 'Utilities'
  | 'Sign-in'
  | 'Users and keys'
  | 'Approvals'
  | 'Monitoring'
  | 'Security'

/** Who asks, when, and what there is to answer with. */
export interface Context {
  readonly caller: Caller
  /** The trading account that is acted on; empty for nobody. */
  readonly account: string
  readonly visit: Visit
  /** Of the approval that the request comes from; orders carry it. */
  readonly orderTag?: string | undefined
  /** Instant at which the request was decoded; one request sees one time. */
  readonly now: number
  /** Fields that the client chose the names of, in the order in which they came; of an operation with `others`. */
  readonly others?: ReadonlyMap<string, unknown>
  readonly services: Services
}

/** What `semi_auto` mode does with an operation asked for by key: let a person decide, refuse it in these words, or do it. */
export type InSemiAuto = 'queue' | 'do' | { readonly refuse: string }

/**
 * One operation of the API. The route, validation, serialisation, the documents and the typed client all come from
 * this value.
 */
export interface Operation<Name extends string, Verb extends Method, Input extends Fields, Output extends TSchema> {
  /** Path below `/api/v1/`, lower-case letters, may contain `/`. */
  readonly name: Name
  readonly method: Verb
  readonly tag: Tag
  readonly summary: string
  readonly description: string
  readonly access: Access
  readonly rateClass: RateClass
  /** An operation that trades must say it: without, it is refused there. */
  readonly inSemiAuto?: InSemiAuto
  /**
   * Whether it puts the intent of a named request (`visit.intent`) on disk itself: with the first thing that it does, or
   * before. Without this the intent is on disk before the handler is asked.
   */
  readonly writesIntent?: boolean
  /** Refuses what can't be done whatever a person decides. Asked before an input is queued. */
  beforeQueue?(input: ValueOf<Input>, account: string, services: Services): void
  /** A GET whose clients can send their key in the query alone. */
  readonly keyInQuery?: boolean
  /** Another path below `/api/v1/` that it answers at too, whose name another method has. */
  readonly alsoAt?: string
  readonly input: Input
  /**
   * Takes fields of names that the client chooses besides those of `input`, each with a value of this schema; the handler
   * gets them as `context.others` and checks them itself. Without it, unknown fields are refused.
   */
  readonly others?: JsonSchema
  /** Fields that are accepted and have no effect; the answer's `warnings` gives each one's reason. */
  readonly ignored?: Readonly<Record<string, string>>
  /** Rules between fields; asked only when every single field is right. */
  check?(input: ValueOf<Input>): readonly FieldError[]
  /** Orders that it sends, when it isn't one: what it costs of its key's or its user's budget. */
  cost?(input: ValueOf<Input>, asked: Pick<Context, 'caller' | 'account' | 'services'>): number
  /** Body of the 200 answer, or `download()`. Keys leave in alphabetical order whatever the order here. */
  readonly output: Output
  /** Media types of answers that are `Streamed` in place of the body, where a field asks for one. */
  readonly otherMediaTypes?: readonly string[]
  /** Whether a request with these fields is told its failure in plain text, since its sender can't read JSON. */
  failsInText?(source: Readonly<Record<string, unknown>>): boolean
  /** An input that works as it stands, without `apikey`. */
  readonly example: WireOf<Input>
  /** Refusals that the documents should name besides those that every operation has. */
  readonly refusals?: readonly RefusalCode[]
  /** Where this operation answers a refusal with another status than usual. */
  readonly refusalStatus?: { readonly [Code in RefusalCode]?: number }
  /** Throws Refusal for expected failures. */
  handle(input: ValueOf<Input>, context: Context): Static<Output> | Promise<Static<Output>>
}

/** Paths below `/api/v1/` that an operation answers at. */
export const pathsOf = ({ name, alsoAt }: Pick<AnyOperation, 'name' | 'alsoAt'>): readonly string[] =>
  alsoAt === undefined ? [name] : [name, alsoAt]

export type AnyOperation = Operation<string, Method, Fields, TSchema>

/** Checks an operation's parts against each other and keeps their types for the client. */
export function defineOperation<
  const Name extends string,
  const Verb extends Method,
  const Input extends Fields,
  Output extends TSchema,
>(operation: Operation<Name, Verb, Input, Output>): Operation<Name, Verb, Input, Output> {
  return operation
}
