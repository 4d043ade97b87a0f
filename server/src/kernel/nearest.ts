/** Names compared in one call; bounds the work of a hint. */
const CANDIDATES_MAX = 400
/** A list this short is compared whole, so that a wrong first letter is found too. */
const SHORT_LIST_MAX = 1500

/** No symbol is longer; a longer text is no misspelt symbol. */
const NAME_LENGTH_MAX = 48

/** Names in ascending order: a list, or what gives them one by one. */
export type SortedNames = { readonly length: number; at(place: number): string | undefined }

/** At most `count` of the sorted names that look most like `wanted`, best first; none that differ in more than a third. */
export function nearestNames(wanted: string, sorted: SortedNames, count: number): string[] {
  if (wanted === '' || wanted.length > NAME_LENGTH_MAX || count < 1) return []
  const near = sorted.length <= SHORT_LIST_MAX ? between(sorted, 0, sorted.length) : neighbours(wanted, sorted)
  const best: { readonly name: string; readonly distance: number }[] = []
  let distanceMax = Math.max(1, Math.floor(wanted.length / 3))
  for (const name of near) {
    const distance = editDistance(wanted, name, distanceMax)
    if (distance > distanceMax) continue
    best.push({ name, distance })
    best.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    if (best.length > count) best.pop()
    if (best.length === count) distanceMax = best[count - 1]?.distance ?? distanceMax
  }
  return best.map((entry) => entry.name)
}

/** Names beside the places where `wanted` and its beginnings would stand. */
function neighbours(wanted: string, sorted: SortedNames): ReadonlySet<string> {
  const found = new Set<string>()
  for (let length = wanted.length; length > 0 && found.size < CANDIDATES_MAX; length -= 1) {
    const place = lowerBound(sorted, wanted.slice(0, length))
    const reach = length === wanted.length ? 60 : 20
    for (const name of between(sorted, Math.max(0, place - reach), place + reach)) found.add(name)
  }
  return found
}

function* between(sorted: SortedNames, from: number, to: number): Generator<string> {
  for (let place = from; place < to; place += 1) {
    const name = sorted.at(place)
    if (name === undefined) return
    yield name
  }
}

/** Index of the first name that isn't before `wanted`. */
export function lowerBound(sorted: SortedNames, wanted: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted.at(middle) ?? '') < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Letters to insert, delete, replace or swap with a neighbour to turn one name into the other. May give any number
 * above `most` when there are more than that.
 */
export function editDistance(a: string, b: string, most: number = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  const width = b.length + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: width }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j += 1) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      row.push(best)
      least = Math.min(least, best)
    }
    if (least > most + 1) return least // a swap may still win one back
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
