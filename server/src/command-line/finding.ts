/** What the doctor found about one thing. */
export interface Finding {
  readonly name: string
  readonly isWrong: boolean
  /** What is so. */
  readonly message: string
  /** What to do about it; empty when nothing is wrong. */
  readonly advice: string
}

export const fine = (name: string, message: string): Finding => ({ name, isWrong: false, message, advice: '' })

export const wrong = (name: string, message: string, advice: string): Finding => ({
  name,
  isWrong: true,
  message,
  advice,
})

/** One line. What a file or a library says may have several. */
export function lineOf({ name, isWrong, message, advice }: Finding): string {
  const text = advice === '' ? message : `${message} ${advice}`
  return `${isWrong ? 'WRONG' : 'ok   '}  ${name.padEnd(14)}  ${text.replaceAll(/\s*\n\s*/g, ' ')}\n`
}
