import { assert } from '../kernel/assert.ts'

/** Buckets to each doubling: values are kept to within 0.8 %, two significant digits. */
const SUB_BUCKETS = 64
const SUB_BITS = 6
/** Greatest value, about 71 minutes in microseconds; anything above counts as this. */
export const VALUE_MAX = 2 ** 32 - 1
const BUCKETS = (32 - SUB_BITS) * SUB_BUCKETS + SUB_BUCKETS

/**
 * Buckets that aren't empty, in order: how far each is from the one before, and its count, both in as few bytes as they
 * need (seven bits in each). A minute that is past takes some hundred bytes so.
 */
export type SparseCounts = Uint8Array
/** Bytes that the gap and the count of one bucket need at most: 14 and 35 bits. */
const PAIR_BYTES_MAX = 7

/**
 * A high-dynamic-range histogram of whole numbers: its size doesn't depend on what is recorded, nor its error on the size
 * of the values. Ours rather than a library's, because minutes that are past must be kept small, sixty of them for every
 * step of every operation.
 */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #max = 0
  #sum = 0

  get max(): number {
    return this.#max
  }

  get sum(): number {
    return this.#sum
  }

  /** A non-negative number; fractions are dropped. */
  record(value: number): void {
    assert(value >= 0, () => `a histogram was given ${value}`) // not a number neither: it would spoil the sum for ever
    const whole = value >= VALUE_MAX ? VALUE_MAX : Math.floor(value)
    const bucket = bucketOf(whole)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    if (whole > this.#max) this.#max = whole
    this.#sum += whole
  }

  /** Takes over what another one has counted. */
  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1)
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0)
    if (other.#max > this.#max) this.#max = other.#max
    this.#sum += other.#sum
  }

  /** Adds its counts to others'; returns how many there were. */
  addTo(dense: Float64Array): number {
    let total = 0
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const times = this.#counts[bucket] ?? 0
      if (times === 0) continue
      dense[bucket] = (dense[bucket] ?? 0) + times
      total += times
    }
    return total
  }

  sparse(): SparseCounts {
    let length = 0
    let before = 0
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = this.#counts[bucket] ?? 0
      if (count === 0) continue
      length = putNumber(bucket - before, length)
      length = putNumber(count, length)
      before = bucket
    }
    return packed.slice(0, length)
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

/** What is being added up. One for all, since nothing is awaited meanwhile: a fresh one each time would cost the most. */
const counts = new Float64Array(BUCKETS)

/** What several histograms say together; undefined when they are empty. Percentiles ascend. */
export function distributionOf(
  parts: readonly (Histogram | Summary)[],
  percentiles: readonly number[],
): Distribution | undefined {
  counts.fill(0)
  let [count, sum, max] = [0, 0, 0]
  for (const part of parts) {
    count += part instanceof Histogram ? part.addTo(counts) : addSparse(part.counts, counts)
    sum += part.sum
    if (part.max > max) max = part.max
  }
  if (count === 0) return undefined
  const values: number[] = []
  let [bucket, upTo] = [0, counts[0] ?? 0]
  for (const percentile of percentiles) {
    const rank = Math.max(1, Math.ceil((percentile / 100) * count))
    while (upTo < rank) {
      bucket += 1
      assert(bucket < BUCKETS, 'a histogram counted more values than its buckets hold')
      upTo += counts[bucket] ?? 0
    }
    values.push(Math.min(middleOf(bucket), max))
  }
  return { count, mean: sum / count, max, percentiles: values }
}

const packed = new Uint8Array(BUCKETS * PAIR_BYTES_MAX)

/** Writes a number at a place of `packed`; returns the place behind it. */
function putNumber(value: number, at: number): number {
  let rest = value
  let place = at
  while (rest > 127) {
    packed[place] = (rest & 127) | 128
    rest >>>= 7
    place += 1
  }
  packed[place] = rest
  return place + 1
}

/** Adds sparse counts to dense ones; returns how many there were. */
function addSparse(sparse: SparseCounts, dense: Float64Array): number {
  let total = 0
  let bucket = 0
  let isGap = true
  for (let place = 0; place < sparse.length; isGap = !isGap) {
    let value = 0
    for (let unit = 1; ; unit *= 128) {
      const byte = sparse[place] ?? 0
      place += 1
      value += (byte & 127) * unit
      if (byte < 128) break
    }
    if (isGap) bucket += value
    else {
      dense[bucket] = (dense[bucket] ?? 0) + value
      total += value
    }
  }
  return total
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
