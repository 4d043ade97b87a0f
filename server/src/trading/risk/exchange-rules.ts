/**
 * What the exchanges ask of algorithmic orders of retail clients, in force in full since 1 April 2026.
 * Sources: SEBI/HO/MIRSD/MIRSD-PoD/P/CIR/2025/0000013 of 4 February 2025 and .../CIR/2025/132 of 30 September 2025;
 * NSE/INVG/67858 of 5 May 2025 (standards) and NSE/INVG/69255 of 22 July 2025 (modalities). Brokers may be stricter.
 */
export const EXCHANGE_RULES = {
  asOf: '2026-04-01',
  source: 'NSE/INVG/67858',
  /** Orders a second in one exchange segment, of one client, that need no registration. Every order by API counts. */
  ordersPerSecondUnregistered: 10,
  /** Orders at market, stops too, must have a worst price that they may be filled at. */
  marketOrdersNeedProtection: true,
  /** Every order carries an algo id; below the threshold a generic one will do. */
  ordersCarryAlgoId: true,
  /** Orders are taken from addresses that were registered before; here: from API keys with networks. */
  staticAddress: true,
} as const

/** How long an algo id or a registration may be. */
export const ALGO_ID_LENGTH_MAX = 32
