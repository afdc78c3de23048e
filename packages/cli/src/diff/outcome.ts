import { blindness } from '@everflame/compare';
import type { http } from '@everflame/protocols';
import { exitCodes } from '../failure.ts';

/** What makes `everflame diff` fail. `likely`: weak evidence counts, too. `never`: it only reports. */
export type FailOn = 'regression' | 'likely' | 'never';

export interface Outcome {
  readonly exitCode: number;
  /** Why it is not 0. */
  readonly reason: string;
}

/** Is a row what `--fail-on` asks for? A new function is one only through what it does to the whole. */
export function isFailure(
  { verdict, q, part }: http.CompareFunction,
  answer: http.CompareAnswer,
  failOn: FailOn,
): boolean {
  if (failOn === 'never') return false;
  if (verdict === 'regressed') return true;
  return failOn === 'likely' && verdict === 'weak evidence' && part > 0 && q !== null && q <= answer.summary.q;
}

/** Is the service as a whole what `--fail-on` asks for? */
export function isWholeFailure({ summary }: http.CompareAnswer, failOn: FailOn): boolean {
  if (failOn === 'never') return false;
  if (summary.verdict === 'regressed') return true;
  const least = summary.change?.interval?.[0] ?? 0;
  return failOn === 'likely' && summary.verdict === 'weak evidence' && least > summary.minEffect;
}

export function outcomeOf(answer: http.CompareAnswer, failOn: FailOn): Outcome {
  const { summary } = answer;
  const failures = answer.functions.filter((row) => isFailure(row, answer, failOn));
  if (isWholeFailure(answer, failOn) || failures.length > 0) {
    const names = failures.slice(0, 3).map(({ name }) => name);
    const more = failures.length > 3 ? ` and ${failures.length - 3} more` : '';
    const what = names.length === 0 ? summary.after.version : `${names.join(', ')}${more}`;
    return { exitCode: exitCodes.failed, reason: `${failOn === 'likely' ? 'likely regressed' : 'regressed'}: ${what}` };
  }
  if (failOn === 'regression' && summary.verdict === 'weak evidence')
    return { exitCode: exitCodes.notEnough, reason: `weak evidence, ${summary.weakEvidence}: no verdict is given` };
  if (failOn !== 'never' && isBlind(summary))
    return { exitCode: exitCodes.notEnough, reason: 'not enough data: a change of half would not have been seen' };
  return { exitCode: exitCodes.ok, reason: '' };
}

function isBlind({ verdict, change, minEffect }: http.CompareAnswer['summary']): boolean {
  // Weak evidence hides whether there was enough data.
  const mde = change?.mde ?? Number.POSITIVE_INFINITY;
  return verdict === 'not enough data' || (verdict === 'weak evidence' && mde > blindness(minEffect));
}
