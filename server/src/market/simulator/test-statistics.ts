/** Sample statistics; for tests. */

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

export function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}

/** Fourth moment ÷ squared variance: 3 for a normal distribution. */
export function kurtosis(values: readonly number[]): number {
  const middle = mean(values)
  return mean(values.map((value) => (value - middle) ** 4)) / deviation(values) ** 4
}

export function correlation(a: readonly number[], b: readonly number[]): number {
  const meanA = mean(a)
  const meanB = mean(b)
  return mean(a.map((value, i) => (value - meanA) * ((b[i] ?? 0) - meanB))) / (deviation(a) * deviation(b))
}

export const autocorrelation = (values: readonly number[], lag: number): number =>
  correlation(values.slice(lag), values.slice(0, -lag))

/** Changes of the logarithm from each value to the next. */
export const logChanges = (values: readonly number[]): number[] =>
  values.slice(1).map((value, i) => Math.log(value / (values[i] ?? value)))

/** The values less their mean, in deviations. */
export function standardised(values: readonly number[]): number[] {
  const middle = mean(values)
  const size = deviation(values)
  return values.map((value) => (value - middle) / size)
}
