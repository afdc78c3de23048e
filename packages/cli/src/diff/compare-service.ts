import { setTimeout as sleep } from 'node:timers/promises';
import type { http } from '@everflame/protocols';
import { type ApiClient, ServerRefusal } from '../api-client.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { type FailOn, isFailure } from './outcome.ts';

export interface ServiceComparison {
  /** Parameters of /api/v1/compare, without `look`. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly failOn: FailOn;
  /** How long to wait for data; null: not at all. */
  readonly waitMs: number | null;
  /** Takes one line for people about what is waited for. */
  readonly say: (line: string) => void;
}

/** The server is asked again after so long, then after twice as long, and so on: looks at doubling times cost little certainty. */
const firstPauseMs = 15_000;
/** How often it is asked while a side has nothing at all, which is no look. */
const emptyPauseMs = 5000;
/** Once a change of a tenth would have been seen, waiting longer says little more. */
const enoughMde = 0.1;
/** What the server says while a side has no samples. */
const emptyCodes = ['unknown_version', 'no_samples'];

/**
 * Asks the server for a comparison, again as data comes in until there is a verdict or the time is over; each look spends a part of the error budget.
 * Throws CommandFailure with exit code 3 when a side has no samples, 2 when the server cannot answer.
 */
export async function compareService(api: ApiClient, asked: ServiceComparison): Promise<http.CompareAnswer> {
  const { parameters, failOn, waitMs, say } = asked;
  if (waitMs === null) return ask(api, parameters);
  const deadline = Date.now() + waitMs;
  for (let look = 1, pauseMs = firstPauseMs; ;) {
    const left = (): number => deadline - Date.now();
    let answer: http.CompareAnswer | null = null;
    try {
      answer = await ask(api, { ...parameters, look: String(look) });
    } catch (error) {
      const isEmpty = error instanceof CommandFailure && error.exitCode === exitCodes.notEnough;
      if (!isEmpty || left() <= 0) throw error;
      say(`waiting for samples: ${error.message}`);
    }
    if (answer !== null && (isEnough(answer, failOn) || left() <= 0)) return answer;
    if (answer !== null) {
      say(`look ${look}: ${answer.sentence}`);
      look++;
    }
    await sleep(Math.min(Math.max(left(), 0), answer === null ? emptyPauseMs : pauseMs));
    if (answer !== null) pauseMs *= 2;
  }
}

async function ask(
  api: ApiClient,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<http.CompareAnswer> {
  try {
    return await api.get<http.CompareAnswer>('/api/v1/compare', parameters);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const isEmpty = error instanceof ServerRefusal && emptyCodes.includes(error.code);
    // 1 is a regression, and nothing else.
    throw new CommandFailure(error.message, isEmpty ? exitCodes.notEnough : exitCodes.usage);
  }
}

function isEnough(answer: http.CompareAnswer, failOn: FailOn): boolean {
  const { verdict, change } = answer.summary;
  if (verdict === 'regressed' || answer.functions.some((row) => isFailure(row, answer, failOn))) return true;
  return verdict !== 'not enough data' && (change?.mde ?? Number.POSITIVE_INFINITY) <= enoughMde;
}
