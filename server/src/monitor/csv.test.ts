import { expect, it } from 'vitest'
import { csvLine } from './csv.ts'

it.each([
  [['a', 1, null, 1.5], 'a,1,,1.5'],
  [['a,b', 'say "x"', 'two\r\nlines'], '"a,b","say ""x""","two\r\nlines"'],
  [['=1+1', '+1', '-1', '@SUM(A1)'], "'=1+1,'+1,'-1,'@SUM(A1)"],
  [['\t=1', '\r=1', '\n=1'], '"\'\t=1","\'\r=1","\'\n=1"'],
  [['=HYPERLINK("http://x","y")'], '"\'=HYPERLINK(""http://x"",""y"")"'],
  [['harmless;=1+1'], '"harmless;=1+1"'],
  [['＝1+1'], "'＝1+1"],
  [[-5], '-5'],
])('the cells %j are the line %j', (cells, line) => {
  expect(csvLine(cells)).toBe(`${line}\r\n`)
})
