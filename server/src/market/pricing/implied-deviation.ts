import { normalDistribution, normalQuantile } from './normal.ts'
import { complementGiven, maximumValue, valueGiven, valueSlope } from './normalised-black.ts'
import { controlForLeftCurvature, controlForRightCurvature, rationalCubic } from './rational-cubic.ts'

/**
 * The deviation that a normalised value implies, after P. Jäckel, "Let's Be Rational", Wilmott (2015): a first guess
 * from rational cubics between points of inflection and its tangents' feet, then Householder's method of fourth order on
 * a function that is nearly straight there. Two steps are the rule.
 */

const ROOT_TAU = Math.sqrt(2 * Math.PI)
const ROOT_3 = Math.sqrt(3)
const LOWER_SCALE = (2 * Math.PI) / (3 * ROOT_3)

/** A bound that isn't reached: halving alone would need fewer. */
const STEPS_MAX = 64
/** The error after a step is about the fourth power of the step. */
const LAST_STEP = 1e-5

/** Which function of the value is made zero. */
type Target = 'logarithm' | 'value' | 'complement'

/**
 * The deviation whose value at `x` ≤ 0 is `given`, for `given` in (0, maximumValue(x)). `rest` is the maximum less `given`,
 * which the caller may know better than that difference.
 */
export function deviationOf(x: number, given: number, rest: number): number {
  const most = maximumValue(x)
  const centre = Math.sqrt(-2 * x) // the point of inflection
  const centreSlope = centre === 0 ? 1 / ROOT_TAU : valueSlope(x, centre)
  const centreValue = centre === 0 ? 0 : valueGiven(x, centre, centreSlope)
  if (given < centreValue) {
    const low = centre - centreValue / centreSlope
    const lowSlope = valueSlope(x, low)
    const lowValue = valueGiven(x, low, lowSlope)
    if (given < lowValue) return refine(x, given, rest, lowestGuess(x, given, low, lowValue), 0, low, 'logarithm')
    const control = controlForRightCurvature(centreValue - lowValue, centre - low, 1 / lowSlope, 1 / centreSlope, 0)
    const guess = rationalCubic(given, lowValue, centreValue, low, centre, 1 / lowSlope, 1 / centreSlope, control)
    return refine(x, given, rest, guess, low, centre, 'value')
  }
  const high = centre + (most - centreValue) / centreSlope
  const highSlope = valueSlope(x, high)
  const highValue = valueGiven(x, high, highSlope)
  const target = rest < 0.5 * most ? 'complement' : 'value'
  if (given > highValue) {
    return refine(x, given, rest, highestGuess(x, given, most, high, highValue), high, Number.MAX_VALUE, target)
  }
  const control = controlForLeftCurvature(highValue - centreValue, high - centre, 1 / centreSlope, 1 / highSlope, 0)
  const guess = rationalCubic(given, centreValue, highValue, centre, high, 1 / centreSlope, 1 / highSlope, control)
  return refine(x, given, rest, guess, centre, high, target)
}

/** For values below the foot of the tangent: there Φ(x/(√3·deviation))³ is nearly proportional to the value. */
function lowestGuess(x: number, given: number, low: number, lowValue: number): number {
  const z = -x / (ROOT_3 * low)
  const squared = z * z
  const lowSquared = low * low
  const share = normalDistribution(-z)
  const density = Math.exp(-0.5 * squared) / ROOT_TAU
  const mapped = LOWER_SCALE * -x * share * share * share
  const slope = 2 * Math.PI * squared * share * share * Math.exp(squared + lowSquared / 8)
  const curvature =
    (Math.PI / 6) *
    (squared / (lowSquared * low)) *
    share *
    (8 * ROOT_3 * low * -x + (3 * lowSquared * (lowSquared - 8) - 8 * x * x) * (share / density)) *
    Math.exp(2 * squared + lowSquared / 4)
  const control = controlForRightCurvature(lowValue, mapped, 1, slope, curvature)
  let image = rationalCubic(given, 0, lowValue, 0, mapped, 1, slope, control)
  if (!(image > 0)) {
    const part = given / lowValue
    image = (mapped * part + lowValue * (1 - part)) * part
  }
  return x / (ROOT_3 * normalQuantile(Math.cbrt(image / (LOWER_SCALE * -x))))
}

/** For values above the head of the tangent: there Φ(−deviation/2) is nearly linear in the value. */
function highestGuess(x: number, given: number, most: number, high: number, highValue: number): number {
  const mapped = normalDistribution(-0.5 * high)
  const ratio = (x / high) ** 2
  const slope = -0.5 * Math.exp(0.5 * ratio)
  const curvature = Math.sqrt(Math.PI / 2) * Math.exp(ratio + high * high * 0.125) * (ratio / high)
  const control = controlForLeftCurvature(most - highValue, -mapped, slope, -0.5, curvature)
  const image = rationalCubic(given, highValue, most, mapped, 0, slope, -0.5, control)
  return image > 0 ? -2 * normalQuantile(image) : high
}

/** Householder's method from `guess`, kept inside a bracket that every step narrows. */
function refine(
  x: number,
  given: number,
  rest: number,
  guess: number,
  least: number,
  most: number,
  target: Target,
): number {
  let low = least
  let high = most
  let deviation = guess > low && guess < high ? guess : inside(low, high)
  const goal = target === 'logarithm' ? Math.log(given) : 0
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const slope = valueSlope(x, deviation)
    const now = target === 'complement' ? complementGiven(x, deviation, slope) : valueGiven(x, deviation, slope)
    const isBelow = target === 'complement' ? now > rest : now < given
    if (isBelow) low = Math.max(low, deviation)
    else high = Math.min(high, deviation)
    const h = x / deviation
    const second = (h * h) / deviation - deviation / 4
    const third = second * second - 3 * (h / deviation) ** 2 - 0.25
    let change: number
    if (target === 'logarithm') {
      const log = Math.log(now)
      const relative = slope / now
      const bend = relative * (1 + 2 / log)
      change = householder(
        ((goal - log) * log) / (goal * relative),
        second - bend,
        third + 2 * relative * relative * (1 + (3 / log) * (1 + 1 / log)) - 3 * second * bend,
      )
    } else if (target === 'complement') {
      const relative = slope / now
      change = householder(
        Math.log(now / rest) / relative,
        second + relative,
        third + relative * (2 * relative + 3 * second),
      )
    } else {
      change = householder((given - now) / slope, second, third)
    }
    const next = deviation + change
    const isInside = next >= low && next <= high
    if (isInside && Math.abs(change) <= LAST_STEP * deviation) return next
    deviation = isInside ? next : inside(low, high)
  }
  return deviation
}

/** One step, of Newton's step and the second and third derivative over the first. */
const householder = (newton: number, second: number, third: number): number =>
  (newton * (1 + 0.5 * second * newton)) / (1 + newton * (second + (third * newton) / 6))

const inside = (low: number, high: number): number => (high === Number.MAX_VALUE ? 2 * low + 1 : 0.5 * (low + high))
