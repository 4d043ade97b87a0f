/** Fields of one line of CSV; quotes may stand around a field, and twice inside it for one. */
export function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? ''
    if (isQuoted) {
      if (character !== '"') field += character
      else if (line[index + 1] === '"') {
        field += '"'
        index += 1
      } else isQuoted = false
    } else if (character === '"' && field === '') isQuoted = true
    else if (character === ',') {
      fields.push(field)
      field = ''
    } else field += character
  }
  fields.push(field)
  return fields
}
