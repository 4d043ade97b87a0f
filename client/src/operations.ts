import type { Operations } from '@sauda/server'

/** What the server's table of operations says about each operation. Types only: nothing of the server is loaded. */
type Operation = Operations[number]
export type OperationName = Operation['name']
type Named<Name extends OperationName> = Extract<Operation, { readonly name: Name }>

export interface Warning {
  readonly field: string
  readonly message: string
}

/** What an operation takes, without the key. */
export type InputOf<Name extends OperationName> = Named<Name>['example']
type Handled<Name extends OperationName> = Awaited<ReturnType<Named<Name>['handle']>>
/** What an operation answers: an object, or the text of a download. */
export type OutputOf<Name extends OperationName> =
  Handled<Name> extends { readonly contentType: string }
    ? string
    : Handled<Name> & { readonly warnings?: readonly Warning[] }

export type GetOperationName = Extract<Operation, { readonly method: 'GET' }>['name']

/** `analyzer/toggle` is the method `analyzerToggle`. */
export type MethodName<Name extends string> = Name extends `${infer Head}/${infer Rest}`
  ? `${Head}${Capitalize<MethodName<Rest extends `:${infer Parameter}` ? Parameter : Rest>>}`
  : Name
