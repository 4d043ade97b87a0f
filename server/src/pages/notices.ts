/**
 * What a page says at its top after something was done. The address carries the code alone, so that no link can put words
 * into our mouth.
 */
const NOTICES = {
  'signed-out': 'You are signed out.',
  'session-over': 'Your session is over. Sign in to go on.',
  'set-up': 'Sauda is set up, and you are signed in.',
  'link-asked': 'If there is such a user and mail is set up, a link is on its way. It works once, for 15 minutes.',
  'password-set': 'Your new password is set. Sign in with it.',
  'password-changed': 'Your password is changed, and every other browser is signed out.',
  'totp-on': 'Two-step sign-in is on.',
  'totp-off': 'Two-step sign-in is off.',
  'session-ended': 'That browser is signed out.',
  'others-ended': 'Every other browser is signed out.',
  'account-opened': 'The account is open. Give it a key of its own, and programs can trade on it.',
  'orders-wait': 'From now on, orders by key wait for a person.',
  'orders-at-once': 'From now on, orders by key are sent at once.',
  'key-revoked': 'The key is revoked: it is refused from now on.',
} as const

export type Notice = keyof typeof NOTICES

/** The sentence of a code, empty for one that isn't ours. */
export const noticeText = (code: string | null): string =>
  code !== null && Object.hasOwn(NOTICES, code) ? NOTICES[code as Notice] : ''

/** A path of ours whose page then says what was done. */
export function saying(path: string, notice: Notice): string {
  return `${path}${path.includes('?') ? '&' : '?'}done=${notice}`
}
