/**
 * Black's formula in decimal arithmetic of any length, by other methods than those it checks: the normal distribution is
 * the series of its area, in integers scaled by 10^digits, so that cancellation costs digits that nobody needs.
 */
export class PreciseBlack {
  readonly #one: bigint
  readonly #ln2: bigint
  readonly #rootTau: bigint

  /** Results are exact to about `digits` decimals. */
  constructor(digits: number) {
    this.#one = 10n ** BigInt(digits)
    this.#ln2 = this.#logNearOne(2n * this.#one)
    // π by Machin's formula
    const arctangentOfInverse = (n: bigint): bigint => {
      let [power, sum, k] = [this.#one / n, 0n, 0n]
      while (power !== 0n) {
        sum += ((k % 2n === 0n ? 1n : -1n) * power) / (2n * k + 1n)
        power /= n * n
        k += 1n
      }
      return sum
    }
    const pi = 4n * (4n * arctangentOfInverse(5n) - arctangentOfInverse(239n))
    this.#rootTau = this.#root(2n * pi)
  }

  /** Undiscounted price of the option out of the money at that strike, scaled. */
  outside(forward: number, strike: number, deviation: number): bigint {
    const [f, k, s] = [this.#scaled(forward), this.#scaled(strike), this.#scaled(deviation)]
    const d1 = this.#divide(this.#log(this.#divide(f, k)), s) + s / 2n
    const d2 = d1 - s
    return f < k
      ? this.#times(f, this.#area(d1)) - this.#times(k, this.#area(d2))
      : this.#times(k, this.#area(-d2)) - this.#times(f, this.#area(-d1))
  }

  /** Price of a call or a put, scaled. */
  price(forward: number, strike: number, deviation: number, sign: 1 | -1): bigint {
    const intrinsic = BigInt(sign) * (this.#scaled(forward) - this.#scaled(strike))
    return this.outside(forward, strike, deviation) + (intrinsic > 0n ? intrinsic : 0n)
  }

  /** The double nearest to a scaled number, nearly. */
  toNumber(value: bigint): number {
    const digits = value.toString().length
    const shift = digits > 25 ? BigInt(digits - 25) : 0n
    const exponent = Number(shift) - (this.#one.toString().length - 1)
    return Number(`${value / 10n ** shift}e${exponent}`)
  }

  /** Relative difference of a double from a scaled number. */
  error(found: number, exact: bigint): number {
    return this.toNumber(this.#divide(this.#scaled(found) - exact, exact))
  }

  /** Difference of a double from a scaled number. */
  difference(found: number, exact: bigint): number {
    return this.toNumber(this.#scaled(found) - exact)
  }

  /** A double's own value, all of it. */
  #scaled(value: number): bigint {
    let [mantissa, exponent] = [value, 0]
    while (!Number.isInteger(mantissa)) {
      mantissa *= 2
      exponent += 1
    }
    return (BigInt(mantissa) * this.#one) >> BigInt(exponent)
  }

  #times(a: bigint, b: bigint): bigint {
    return (a * b) / this.#one
  }

  #divide(a: bigint, b: bigint): bigint {
    return (a * this.#one) / b
  }

  #root(value: bigint): bigint {
    const target = value * this.#one
    let guess = 1n << BigInt((target.toString(2).length + 1) >> 1)
    for (;;) {
      const next = (guess + target / guess) >> 1n
      if (next >= guess) return guess
      guess = next
    }
  }

  /** ln of a number from 0.6 to 2, as 2·artanh((v − 1)/(v + 1)). */
  #logNearOne(value: bigint): bigint {
    const ratio = this.#divide(value - this.#one, value + this.#one)
    const squared = this.#times(ratio, ratio)
    let [power, sum, k] = [ratio, 0n, 1n]
    while (power !== 0n) {
      sum += power / k
      power = this.#times(power, squared)
      k += 2n
    }
    return 2n * sum
  }

  #log(value: bigint): bigint {
    let [near, doublings] = [value, 0n]
    for (; near > (4n * this.#one) / 3n; doublings += 1n) near /= 2n
    for (; near < (2n * this.#one) / 3n; doublings -= 1n) near *= 2n
    return this.#logNearOne(near) + doublings * this.#ln2
  }

  #exp(value: bigint): bigint {
    const doublings = value / this.#ln2
    const rest = value - doublings * this.#ln2
    let [term, sum, n] = [this.#one, 0n, 1n]
    while (term !== 0n) {
      sum += term
      term = this.#times(term, rest) / n
      n += 1n
    }
    return doublings >= 0n ? sum << doublings : sum >> -doublings
  }

  /** Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …) */
  #area(x: bigint): bigint {
    const squared = this.#times(x, x)
    let [term, sum, n] = [x, 0n, 1n]
    while (term !== 0n) {
      sum += term
      n += 2n
      term = this.#times(term, squared) / n
    }
    const density = this.#divide(this.#exp(-squared / 2n), this.#rootTau)
    return this.#one / 2n + this.#times(density, sum)
  }
}
