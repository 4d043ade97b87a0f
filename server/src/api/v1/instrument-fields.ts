import { EXCHANGES, type Exchange } from '../../market/instrument.ts'
import { choice, text } from '../field.ts'

/** Longest symbol there is, with room to spare. */
const SYMBOL_LENGTH_MAX = 50

/** A symbol; white space around it and lower case are put right. */
export const symbol = () =>
  text({
    min: 1,
    max: SYMBOL_LENGTH_MAX,
    rule: `Symbol must be between 1 and ${SYMBOL_LENGTH_MAX} characters.`,
    canonical: true,
    description: 'Symbol of the instrument, such as SBIN, NIFTY25AUG26FUT or NIFTY25AUG2626000CE.',
  })

export const exchange = () => choice<Exchange>(EXCHANGES, { description: 'Exchange code.' })
