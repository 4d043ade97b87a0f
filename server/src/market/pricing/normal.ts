/** The standard normal distribution, to double precision over its whole range. */

const ROOT_HALF = Math.SQRT1_2
const ROOT_TAU = Math.sqrt(2 * Math.PI)
const ROOT_PI = Math.sqrt(Math.PI)

/** Where the rational approximations change over. */
const NEAR = 0.46875
const FAR = 4

export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / ROOT_TAU

/** Φ(x), with full relative precision in the lower tail. */
export function normalDistribution(x: number): number {
  const z = Math.abs(x) * ROOT_HALF
  if (z <= NEAR) return 0.5 + 0.5 * x * ROOT_HALF * errorRatio(z * z)
  const tail = 0.5 * Math.exp(-0.5 * x * x) * scaledTail(z)
  return x > 0 ? 1 - tail : tail
}

/**
 * exp(x²)·erfc(x) for x ≥ -26; grows as 2·exp(x²) for negative x. After W. J. Cody, "Rational Chebyshev approximations
 * for the error function", Mathematics of Computation 23 (1969).
 */
export function scaledErfc(x: number): number {
  if (x >= NEAR) return scaledTail(x)
  const squared = x * x
  if (x > -NEAR) return Math.exp(squared) * (1 - x * errorRatio(squared))
  return 2 * Math.exp(squared) - scaledTail(-x)
}

/** Φ(x)/φ(x) for x ≤ 0, the area below x in units of the density there. */
export const lowerMills = (x: number): number => (ROOT_TAU / 2) * scaledErfc(-x * ROOT_HALF)

/** erf(x)/x of x² ≤ 0.22. */
function errorRatio(squared: number): number {
  let top = 0.18577770618460315 * squared
  top = (top + 3.1611237438705655) * squared
  top = (top + 113.86415415105016) * squared
  top = (top + 377.485237685302) * squared
  let bottom = (squared + 23.601290952344122) * squared
  bottom = (bottom + 244.02463793444417) * squared
  bottom = (bottom + 1282.6165260773723) * squared
  return (top + 3209.3775891384694) / (bottom + 2844.236833439171)
}

/** exp(x²)·erfc(x) of x ≥ 0.46875. */
function scaledTail(x: number): number {
  if (x > FAR) return farTail(x)
  let top = 2.1531153547440383e-8 * x
  top = (top + 0.5641884969886701) * x
  top = (top + 8.883149794388377) * x
  top = (top + 66.11919063714163) * x
  top = (top + 298.6351381974001) * x
  top = (top + 881.952221241769) * x
  top = (top + 1712.0476126340707) * x
  top = (top + 2051.0783778260716) * x
  let bottom = (x + 15.744926110709835) * x
  bottom = (bottom + 117.6939508913125) * x
  bottom = (bottom + 537.1811018620099) * x
  bottom = (bottom + 1621.3895745666903) * x
  bottom = (bottom + 3290.7992357334597) * x
  bottom = (bottom + 4362.619090143247) * x
  bottom = (bottom + 3439.3676741437216) * x
  return (top + 1230.3393547979972) / (bottom + 1230.3393548037495)
}

function farTail(x: number): number {
  const inverse = 1 / (x * x)
  let top = 0.016315387137302097 * inverse
  top = (top + 0.30532663496123236) * inverse
  top = (top + 0.36034489994980445) * inverse
  top = (top + 0.12578172611122926) * inverse
  top = (top + 0.016083785148742275) * inverse
  let bottom = (inverse + 2.568520192289822) * inverse
  bottom = (bottom + 1.8729528499234673) * inverse
  bottom = (bottom + 0.5279051029514285) * inverse
  bottom = (bottom + 0.06051834131244132) * inverse
  const tail = (inverse * (top + 0.0006587491615298378)) / (bottom + 0.0023352049762686918)
  return (1 / ROOT_PI - tail) / x
}

/**
 * The x with Φ(x) = share, for a share in (0, 1), to about 1e-15. After M. J. Wichura, "Algorithm AS 241: The percentage
 * points of the normal distribution", Applied Statistics 37 (1988).
 */
export function normalQuantile(share: number): number {
  const middle = share - 0.5
  if (Math.abs(middle) <= 0.425) return middle * centralRatio(0.180625 - middle * middle)
  const root = Math.sqrt(-Math.log(middle < 0 ? share : 1 - share))
  const size = root <= 5 ? tailQuantile(root - 1.6) : farQuantile(root - 5)
  return middle < 0 ? -size : size
}

function centralRatio(r: number): number {
  let top = 2509.0809287301227 * r + 33430.57558358813
  top = top * r + 67265.7709270087
  top = top * r + 45921.95393154987
  top = top * r + 13731.69376550946
  top = top * r + 1971.5909503065513
  top = top * r + 133.14166789178438
  top = top * r + 3.3871328727963665
  let bottom = 5226.495278852854 * r + 28729.085735721943
  bottom = bottom * r + 39307.89580009271
  bottom = bottom * r + 21213.794301586597
  bottom = bottom * r + 5394.196021424751
  bottom = bottom * r + 687.1870074920579
  bottom = bottom * r + 42.31333070160091
  return top / (bottom * r + 1)
}

function tailQuantile(r: number): number {
  let top = 0.0007745450142783414 * r + 0.022723844989269184
  top = top * r + 0.2417807251774506
  top = top * r + 1.2704582524523684
  top = top * r + 3.6478483247632045
  top = top * r + 5.769497221460691
  top = top * r + 4.630337846156546
  top = top * r + 1.4234371107496835
  let bottom = 1.0507500716444169e-9 * r + 0.0005475938084995345
  bottom = bottom * r + 0.015198666563616457
  bottom = bottom * r + 0.14810397642748008
  bottom = bottom * r + 0.6897673349851
  bottom = bottom * r + 1.6763848301838038
  bottom = bottom * r + 2.053191626637759
  return top / (bottom * r + 1)
}

function farQuantile(r: number): number {
  let top = 2.0103343992922881e-7 * r + 2.7115555687434876e-5
  top = top * r + 0.0012426609473880784
  top = top * r + 0.026532189526576124
  top = top * r + 0.29656057182850487
  top = top * r + 1.7848265399172913
  top = top * r + 5.463784911164114
  top = top * r + 6.657904643501103
  let bottom = 2.0442631033899397e-15 * r + 1.421511758316446e-7
  bottom = bottom * r + 1.8463183175100548e-5
  bottom = bottom * r + 0.0007868691311456133
  bottom = bottom * r + 0.014875361290850615
  bottom = bottom * r + 0.1369298809227358
  bottom = bottom * r + 0.599832206555888
  return top / (bottom * r + 1)
}
