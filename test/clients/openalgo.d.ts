/** The official Node client has no types of its own; these are of the methods that the checks call. */
declare module 'openalgo' {
  type Fields = Readonly<Record<string, unknown>>

  interface Answer {
    readonly status: string
    readonly orderid: string
    readonly mode: string
    readonly message?: string
    readonly canceled_orders?: readonly string[]
    readonly failed_cancellations?: readonly unknown[]
    readonly closed_positions?: number
    readonly warnings?: readonly { readonly field: string }[]
  }

  export default class OpenAlgo {
    constructor(apiKey: string, host?: string, version?: string)
    placeOrder(fields: Fields): Promise<Answer>
    placeSmartOrder(fields: Fields): Promise<Partial<Answer>>
    modifyOrder(fields: Fields): Promise<Answer>
    cancelOrder(fields: Fields): Promise<Answer>
    cancelAllOrder(fields: Fields): Promise<Answer>
    closePosition(fields: Fields): Promise<Answer>
  }
}
