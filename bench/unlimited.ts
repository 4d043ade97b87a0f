/** Settings under which nothing is refused for coming too fast: what is measured is the server, not its limits. */
export const UNLIMITED: Readonly<Record<string, string>> = {
  ADDRESS_RATE_LIMIT: '1000000000 per second',
  API_RATE_LIMIT: '1000000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000000 per second',
  ORDER_RATE_LIMIT: '1000000000 per second',
  HEAVY_RATE_LIMIT: '1000000000 per second',
}
