import { CompareFailure } from '../compare-failure.ts';

/**
 * The part of an error budget that look number `look` (1, 2, 3, …) may spend when one comparison is repeated as data comes in: 1/(k(k + 1)), which sums
 * to 1 over all looks that ever come. By the union bound the chance that any look is wrong stays within the budget, whatever the looks
 * depend on each other and however many there are: no schedule, no normal approximation, no fixed end.
 *
 * Error spending is Lan & DeMets' (Biometrika 70 (1983)); this sequence is the one that needs no planned amount of information. Its
 * price is small when looks double in time (1, 2, 4, … minutes): look 8 of two hours asks for p ≤ α/72, a t of 3.4 instead of 2.
 */
export function lookShare(look: number): number {
  if (!(Number.isSafeInteger(look) && look >= 1))
    throw new CompareFailure('bad_option', `look ${look} is not 1, 2, 3, …`);
  return 1 / (look * (look + 1));
}
