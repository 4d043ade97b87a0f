/** What nobody may send, and how the message shows it. */

/** JSON that JavaScript wouldn't write, such as a number beyond its range. */
export const json = (text: string): string => `\uE000${text}\uE001`

/** The body as text, with `json` values as they are. */
export const jsonText = (fields: object): string =>
  JSON.stringify(fields).replaceAll(/"\uE000([^\uE001]*)\uE001"/g, '$1')

/** Values that no numeric field takes, and how the message shows each. */
export const NO_NUMBERS: readonly (readonly [value: unknown, shown: string])[] = [
  ['NaN', '"NaN"'],
  ['nan', '"nan"'],
  ['Infinity', '"Infinity"'],
  ['-Infinity', '"-Infinity"'],
  ['inf', '"inf"'],
  [json('1e999'), 'Infinity'],
  [json('-1e999'), '-Infinity'],
  ['', '""'],
  ['   ', '"   "'],
  ['ten', '"ten"'],
  ['1,000', '"1,000"'],
  ['1_000', '"1_000"'],
  ['0x10', '"0x10"'],
  ['1 0', '"1 0"'],
  ['--1', '"--1"'],
  ['१०', '"१०"'],
  ['9'.repeat(5_000), '9'.repeat(20)],
  [true, 'true'],
  [false, 'false'],
  [[], 'a list of 0 items'],
  [[1], 'a list of 1 item'],
  [{}, 'an object'],
  [null, 'null'],
  [-1, '-1'],
  ['-0.05', '"-0.05"'],
  [json('-1e300'), '-1e+300'],
  [json('1e300'), '1e+300'],
  [json('1e-9'), '1e-9'],
  ['0.0000000001', '"0.0000000001"'],
  [json('9007199254740993'), '9007199254740992'],
]

/** Values that no text field takes. */
export const NO_TEXTS: readonly (readonly [value: unknown, shown: string])[] = [
  [1, '1'],
  [true, 'true'],
  [null, 'null'],
  [['SBIN'], 'a list of 1 item'],
  [{ toString: 'SBIN' }, 'an object'],
]

/** Words that one field of an order doesn't take. */
export const WRONG_WORDS = [
  ['strategy', 's'.repeat(257), 's'.repeat(20)],
  ['strategy', 'a\u0000b', 'U+0000'],
  ['strategy', 'a\nb', 'U+000A'],
  ['strategy', '\ud800', 'surrogate'],
  ['symbol', '', '""'],
  ['symbol', '   ', '"   "'],
  ['symbol', 'S'.repeat(51), 'S'.repeat(20)],
  ['symbol', 'SB\u0000IN', 'U+0000'],
  ['exchange', '', '""'],
  ['exchange', 'nse', '"nse"; did you mean NSE?'],
  ['exchange', 'NYSE', '"NYSE"'],
  ['exchange', ' NSE', '" NSE"; did you mean NSE?'],
  ['action', '', '""'],
  ['action', 'Buy', '"Buy"; did you mean BUY?'],
  ['action', 'HOLD', '"HOLD"'],
  ['pricetype', '', '""'],
  ['pricetype', 'market', '"market"; did you mean MARKET?'],
  ['pricetype', 'SLM', '"SLM"; did you mean SL-M?'],
  ['pricetype', 'LIMT', '"LIMT"; did you mean LIMIT?'],
  ['product', '', '""'],
  ['product', 'cnc', '"cnc"; did you mean CNC?'],
  ['product', 'INTRADAY', '"INTRADAY"'],
] as const
