/**
 * A cubic over a quadratic through two points with given slopes; the control parameter bends it without leaving them.
 * After R. Delbourgo and J. A. Gregory, "Shape preserving piecewise rational interpolation", SIAM J. Sci. Stat. Comput. 6
 * (1985).
 */

/** From here on the curve is a straight line to double precision. */
const STRAIGHT = 1e16
const LEAST = -(1 - 1.5e-8)

export function rationalCubic(
  x: number,
  leftX: number,
  rightX: number,
  leftY: number,
  rightY: number,
  leftSlope: number,
  rightSlope: number,
  control: number,
): number {
  const width = rightX - leftX
  if (width <= 0) return 0.5 * (leftY + rightY)
  const t = (x - leftX) / width
  const u = 1 - t
  if (control > STRAIGHT) return rightY * t + leftY * u
  const top =
    rightY * t * t * t +
    (control * rightY - width * rightSlope) * t * t * u +
    (control * leftY + width * leftSlope) * t * u * u +
    leftY * u * u * u
  return top / (1 + (control - 3) * t * u)
}

/** The control parameter that gives the curve this curvature at its left end, within what keeps it convex and monotone. */
export function controlForLeftCurvature(
  width: number,
  rise: number,
  leftSlope: number,
  rightSlope: number,
  curvature: number,
): number {
  const top = 0.5 * width * curvature + (rightSlope - leftSlope)
  return Math.max(quotient(top, rise / width - leftSlope), leastControl(leftSlope, rightSlope, rise / width))
}

/** The same for the right end. */
export function controlForRightCurvature(
  width: number,
  rise: number,
  leftSlope: number,
  rightSlope: number,
  curvature: number,
): number {
  const top = 0.5 * width * curvature + (rightSlope - leftSlope)
  return Math.max(quotient(top, rightSlope - rise / width), leastControl(leftSlope, rightSlope, rise / width))
}

const quotient = (top: number, bottom: number): number => {
  if (top === 0) return 0
  return bottom === 0 ? (top > 0 ? Number.MAX_VALUE : LEAST) : top / bottom
}

/** Smallest control parameter with which the curve is as monotone, convex or concave as its ends are. */
function leastControl(leftSlope: number, rightSlope: number, chord: number): number {
  const isMonotone = leftSlope * chord >= 0 && rightSlope * chord >= 0
  const isConvex = leftSlope <= chord && chord <= rightSlope
  const isConcave = leftSlope >= chord && chord >= rightSlope
  let least = LEAST
  if (isMonotone && chord !== 0) least = Math.max(least, (leftSlope + rightSlope) / chord)
  const before = chord - leftSlope
  const after = rightSlope - chord
  if ((isConvex || isConcave) && before !== 0 && after !== 0) {
    const bend = Math.abs(rightSlope - leftSlope)
    least = Math.max(least, bend / Math.abs(after), bend / Math.abs(before))
  }
  return least
}
