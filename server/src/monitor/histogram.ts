/** Buckets to each doubling: values are kept to within 0.8 %, two significant digits. */
const SUB_BUCKETS = 64
const SUB_BITS = 6
/** Greatest value, about 71 minutes in microseconds; anything above counts as this. */
export const VALUE_MAX = 2 ** 32 - 1
const BUCKETS = (32 - SUB_BITS) * SUB_BUCKETS + SUB_BUCKETS

/** Buckets that aren't empty, as pairs of number and count: what a minute long past takes little room as. */
export type SparseCounts = Uint32Array

/**
 * A high-dynamic-range histogram of whole numbers: its size doesn't depend on what is recorded, nor its error on the size
 * of the values. Ours rather than a library's, because minutes that are past must be kept small, sixty of them for every
 * step of every operation.
 */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #max = 0
  #sum = 0

  /** A non-negative number; fractions are dropped. */
  record(value: number): void {
    const whole = value >= VALUE_MAX ? VALUE_MAX : Math.floor(value)
    const bucket = bucketOf(whole)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    if (whole > this.#max) this.#max = whole
    this.#sum += whole
  }

  sparse(): SparseCounts {
    const pairs: number[] = []
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) pairs.push(bucket, count)
    return Uint32Array.from(pairs)
  }

  /** Counts of it all, to be added up with others'. */
  summary(): Summary {
    return { counts: this.sparse(), max: this.#max, sum: this.#sum }
  }

  reset(): void {
    this.#counts.fill(0)
    this.#max = 0
    this.#sum = 0
  }
}

export interface Summary {
  readonly counts: SparseCounts
  readonly max: number
  readonly sum: number
}

export interface Distribution {
  readonly count: number
  readonly mean: number
  readonly max: number
  /** Values at the percentiles that were asked for, in their order. */
  readonly percentiles: readonly number[]
}

/** What several histograms say together; undefined when they are empty. */
export function distributionOf(
  summaries: readonly Summary[],
  percentiles: readonly number[],
): Distribution | undefined {
  const counts = new Float64Array(BUCKETS)
  let [count, sum, max] = [0, 0, 0]
  for (const summary of summaries) {
    for (let index = 0; index < summary.counts.length; index += 2) {
      const bucket = summary.counts[index] ?? 0
      const times = summary.counts[index + 1] ?? 0
      counts[bucket] = (counts[bucket] ?? 0) + times
      count += times
    }
    sum += summary.sum
    if (summary.max > max) max = summary.max
  }
  if (count === 0) return undefined
  const wanted = percentiles.map((percentile) => Math.max(1, Math.ceil((percentile / 100) * count)))
  const values = wanted.map(() => max)
  let below = 0
  for (const [bucket, times] of counts.entries()) {
    if (times === 0) continue
    for (const [index, rank] of wanted.entries())
      if (rank > below && rank <= below + times) values[index] = Math.min(middleOf(bucket), max)
    below += times
  }
  return { count, mean: sum / count, max, percentiles: values }
}

function bucketOf(value: number): number {
  if (value < 2 * SUB_BUCKETS) return value
  const shift = 31 - Math.clz32(value) - SUB_BITS
  return shift * SUB_BUCKETS + (value >>> shift)
}

/** Middle of a bucket. */
function middleOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1
  const low = (bucket - shift * SUB_BUCKETS) * 2 ** shift
  return low + Math.floor(2 ** shift / 2)
}
