/** Stable names of what can be wrong with counts that are to be compared; callers may branch on them. */
export type CompareErrorCode =
  /** A count is negative, fractional, not finite, or beyond 2^53. */
  | 'bad_count'
  /** Columns of one table have different lengths, or an index points at nothing. */
  | 'bad_shape'
  /** A function counts more samples than its unit has, or self counts sum to more than that. */
  | 'more_than_all'
  /** A unit occurs twice on one side. */
  | 'duplicate_unit'
  /** More units or functions than the limits allow. */
  | 'too_large'
  /** A side has no samples, or not the seconds or requests that the normalisation asked for needs. */
  | 'no_exposure'
  /** An option is outside its range. */
  | 'bad_option';

/** What is wrong with the input of a comparison. Thrown, since callers count what they hand in. */
export class CompareFailure extends Error {
  override readonly name = 'CompareFailure';
  readonly code: CompareErrorCode;

  constructor(code: CompareErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
