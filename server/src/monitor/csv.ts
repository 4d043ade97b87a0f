/** What spreadsheets would take for a formula at the beginning of a cell, also in its full-width form. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
/** A semicolon separates cells in half of the world's spreadsheets: unquoted, what follows it would begin a cell. */
const QUOTED = /[",;\t\r\n]/

/** One line of CSV (RFC 4180). Text that a spreadsheet would compute is marked as text. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: string | number | null): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
