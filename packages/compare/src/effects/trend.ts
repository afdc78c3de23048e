/** Points needed for a parabola; fewer make a straight line, below ten a constant. */
const FOR_PARABOLA = 50;
const FOR_LINE = 10;
/** Residuals beyond this many robust standard deviations are left out of the second fit. */
const CUT = 3;

/**
 * y as a parabola of x by least squares, fitted twice: the second time without what lies further off than three robust standard
 * deviations. Outside the range of x the ends of the curve are held, since a parabola says nothing there.
 */
export function fitTrend(x: readonly number[], y: readonly number[]): (x: number) => number {
  const degree = x.length >= FOR_PARABOLA ? 2 : x.length >= FOR_LINE ? 1 : 0;
  const [low, high] = range(x);
  const middle = (low + high) / 2;
  const half = Math.max((high - low) / 2, 1e-9);
  const scaled = x.map((value) => (value - middle) / half);
  let weights: readonly number[] = x.map(() => 1);
  let coefficients: readonly number[] = [0];
  for (let pass = 0; pass < 2; pass++) {
    const fitted = leastSquares(scaled, y, weights, degree);
    coefficients = fitted;
    const off = scaled.map((value, i) => Math.abs((y[i] ?? 0) - polynomial(fitted, value)));
    const limit = CUT * 1.4826 * ([...off].sort((a, b) => a - b)[off.length >> 1] ?? 0);
    weights = off.map((distance) => (distance <= limit ? 1 : 0));
  }
  return (at) => polynomial(coefficients, (Math.min(Math.max(at, low), high) - middle) / half);
}

/** First and last of the values, so that no call spreads an array of any length. */
function range(values: readonly number[]): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + (coefficients[i] ?? 0);
  return sum;
}

/** Normal equations by Gaussian elimination; x is within −1…1, so that they are well conditioned for a parabola. */
function leastSquares(
  x: readonly number[],
  y: readonly number[],
  weights: readonly number[],
  degree: number,
): number[] {
  const size = degree + 1;
  const rows = Array.from({ length: size }, () => new Float64Array(size + 1));
  for (const [i, value] of x.entries()) {
    const weight = weights[i] ?? 0;
    if (weight === 0) continue;
    for (let r = 0; r < size; r++) {
      const row = rows[r] ?? new Float64Array(0);
      for (let c = 0; c < size; c++) row[c] = (row[c] ?? 0) + weight * value ** (r + c);
      row[size] = (row[size] ?? 0) + weight * value ** r * (y[i] ?? 0);
    }
  }
  for (let p = 0; p < size; p++) {
    const pivot = rows[p] ?? new Float64Array(0);
    const head = pivot[p] ?? 0;
    // All x equal: the higher terms have nothing to say.
    if (Math.abs(head) < 1e-12) continue;
    for (let r = 0; r < size; r++) {
      if (r === p) continue;
      const row = rows[r] ?? new Float64Array(0);
      const factor = (row[p] ?? 0) / head;
      for (let c = p; c <= size; c++) row[c] = (row[c] ?? 0) - factor * (pivot[c] ?? 0);
    }
  }
  return rows.map((row, p) => (Math.abs(row[p] ?? 0) < 1e-12 ? 0 : (row[size] ?? 0) / (row[p] ?? 1)));
}
