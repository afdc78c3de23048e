/**
 * Does a change last? Looked at again over a longer or later window it must have the same sign and at least half its size, both as ln.
 * Source: reference §4.3 (10), after the went-away detector of FBDetect (SOSP 2024) §5.2.2.
 */
export function persists(theta: number, thetaExtended: number): boolean {
  return Math.sign(theta) === Math.sign(thetaExtended) && Math.abs(thetaExtended) >= 0.5 * Math.abs(theta);
}
