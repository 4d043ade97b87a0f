import { randomBytes } from 'node:crypto'

const LETTERS = 10
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** A prefix and 50 random bits in letters that can be read aloud: `key_4fz7…`. */
export const newId = (prefix: 'acc' | 'key' | 'ses' | 'usr'): string =>
  // 32 letters: five bits of each byte choose one evenly
  `${prefix}_${Array.from(randomBytes(LETTERS), (byte) => ALPHABET.charAt(byte & 31)).join('')}`
