import { ProfileFailure } from '../profile-error.ts';

/** The exact sum; a `ProfileFailure` with the code `overflow` when it does not fit a signed 64-bit integer. */
export function addInt64(left: bigint, right: bigint): bigint {
  const sum = left + right;
  if (BigInt.asIntN(64, sum) !== sum) {
    throw new ProfileFailure('overflow', `${left} + ${right} does not fit a signed 64-bit integer.`, 'sample.value');
  }
  return sum;
}
