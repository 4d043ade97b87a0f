/**
 * Distribution function of the standard normal, to double precision: Hart's rational approximation in the form of
 * G. West, "Better approximations to cumulative normal functions" (2005).
 */
export function normalDistribution(x: number): number {
  const size = Math.abs(x)
  if (size > 37) return x > 0 ? 1 : 0
  const bell = Math.exp((-size * size) / 2)
  let tail: number
  if (size < 7.07106781186547) {
    let top = 3.52624965998911e-2 * size + 0.700383064443688
    top = top * size + 6.37396220353165
    top = top * size + 33.912866078383
    top = top * size + 112.079291497871
    top = top * size + 221.213596169931
    top = top * size + 220.206867912376
    let bottom = 8.83883476483184e-2 * size + 1.75566716318264
    bottom = bottom * size + 16.064177579207
    bottom = bottom * size + 86.7807322029461
    bottom = bottom * size + 296.564248779674
    bottom = bottom * size + 637.333633378831
    bottom = bottom * size + 793.826512519948
    bottom = bottom * size + 440.413735824752
    tail = (bell * top) / bottom
  } else {
    const fraction = size + 1 / (size + 2 / (size + 3 / (size + 4 / (size + 0.65))))
    tail = bell / fraction / 2.506628274631
  }
  return x > 0 ? 1 - tail : tail
}

/**
 * Undiscounted price of a European option on a forward. `deviation` is volatility times the root of the time in years;
 * 0 gives the intrinsic value. `sign` is 1 for a call and -1 for a put.
 */
export function optionPrice(forward: number, strike: number, deviation: number, sign: 1 | -1): number {
  const intrinsic = Math.max(0, sign * (forward - strike))
  if (deviation <= 0) return intrinsic
  const d1 = Math.log(forward / strike) / deviation + deviation / 2
  const d2 = d1 - deviation
  // The out-of-the-money side has no cancellation; parity gives the other.
  const side = forward > strike ? -1 : 1
  const outside = side * (forward * normalDistribution(side * d1) - strike * normalDistribution(side * d2))
  return side === sign ? outside : outside + intrinsic
}
