/** What makes lines of JSON readable for a person. The package is loaded when it is asked for. */
export async function prettyLines(): Promise<(lines: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  const prettify = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
  return (lines) =>
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => prettify(line) ?? `${line}\n`)
      .join('')
}
