/** The best few of many, by a comparison that puts better ones first: a heap with the worst of them on top. */
export class BestOf {
  readonly #most: number
  readonly #compare: (a: number, b: number) => number
  readonly #heap: number[] = []

  constructor(most: number, compare: (a: number, b: number) => number) {
    this.#most = most
    this.#compare = compare
  }

  add(value: number): void {
    const heap = this.#heap
    if (heap.length < this.#most) {
      heap.push(value)
      this.#rise(heap.length - 1)
    } else if (this.#most > 0 && this.#compare(value, heap[0] ?? value) < 0) {
      heap[0] = value
      this.#sink()
    }
  }

  /** Best first. */
  sorted(): number[] {
    return [...this.#heap].sort(this.#compare)
  }

  #rise(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1
      if (!this.#isWorse(place, parent)) return
      this.#swap(place, parent)
      place = parent
    }
  }

  #sink(): void {
    const { length } = this.#heap
    for (let place = 0; ; ) {
      const left = 2 * place + 1
      if (left >= length) return
      const worse = left + 1 < length && this.#isWorse(left + 1, left) ? left + 1 : left
      if (!this.#isWorse(worse, place)) return
      this.#swap(worse, place)
      place = worse
    }
  }

  #isWorse(a: number, b: number): boolean {
    return this.#compare(this.#heap[a] ?? 0, this.#heap[b] ?? 0) > 0
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const held = heap[a] ?? 0
    heap[a] = heap[b] ?? 0
    heap[b] = held
  }
}
