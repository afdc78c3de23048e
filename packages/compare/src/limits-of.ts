import type { CompareInput, NotTested } from './comparison.ts';
import { isNameless } from './counts/nameless.ts';
import { type Analyses, type Analysis } from './effects/analyse.ts';
import { MIN_SAMPLES } from './effects/effect-table.ts';
import { MIN_PAST } from './effects/placebo.ts';

/** What the answer takes for granted, in sentences for people. `needsCores`: a change had to show in cores per instance as well. */
export function assumptionsOf(input: CompareInput, analyses: Analyses, needsCores: boolean): string[] {
  const { contrast, moderated, driftSd, wanderingSd } = analyses.inclusive;
  const said: string[] = [];
  const units = { host: 'hosts', pod: 'pods', process: 'processes', block: 'time blocks', file: 'files' }[input.kind];
  said.push(
    contrast.paired > 0
      ? `${contrast.paired} units are on both sides and are compared with themselves; ${units} are independent of each other`
      : `none of the ${units} are on both sides: they are compared as two groups; ${units} are independent of each other`,
  );
  if (contrast.df <= 0)
    said.push('one unit on each side: intervals know the noise of counting samples alone, not how runs differ');
  if (input.kind !== 'host' && input.kind !== 'file' && (input.hosts ?? 2) <= 1)
    said.push('all units are on one host: what that host does to all of them at once cannot be told from a change');
  if (input.kind === 'block')
    said.push('minutes of one place stand for units; what changed there at the same time cannot be told apart');
  const past = input.past?.length ?? 0;
  if (input.controls !== undefined)
    said.push(
      'the part of the fleet that stayed on the old version would have changed like the rest (difference-in-differences)',
    );
  else if (driftSd !== null)
    said.push(
      `the fleet wandered as it did in ${past} past comparisons (a typical function by ${(driftSd * 100).toFixed(1)} %)`,
    );
  else
    said.push(
      `nothing else changed for the whole fleet between the two windows: there are no controls${past > 0 ? ` and only ${past} of ${MIN_PAST} past comparisons` : ' and no past comparisons'}`,
    );
  if (wanderingSd >= 0.005)
    said.push(
      `most functions did not change: a typical one wandered by ${(wanderingSd * 100).toFixed(1)} % between the windows beyond what ${units} differ by, and the intervals are so much wider`,
    );
  if (needsCores)
    said.push(
      'too few functions to tell dilution from cost: what changed had to show in shares and in cores per instance',
    );
  if (contrast.normalisation === 'cores') said.push('the load per instance was the same on both sides');
  if (analyses.composition.matters && contrast.normalisation === 'share')
    said.push(
      'most functions cost the same per unit of work on both sides: the change that they share is dilution and was taken off',
    );
  const renumbered = input.formerNames?.size ?? 0;
  if (renumbered > 0)
    said.push(
      `${renumbered === 1 ? 'a function without a name is the one' : `${renumbered} functions without a name are those`} at another line of the file after the deployment, in order and by what they cost`,
    );
  if (moderated.priorDf === 0) said.push('there are too few functions to learn from each other how noisy they are');
  return said;
}

/** What was counted and not tested, and why. Nothing is left out silently. */
export function notTestedOf(analysis: Analysis, names: readonly string[], p: Float64Array): NotTested[] {
  const { table } = analysis;
  const groups = new Map<string, { functions: number; samples: number }>();
  for (let f = 0; f < p.length; f++) {
    const samples = (table.before[f] ?? 0) + (table.after[f] ?? 0);
    if (samples === 0 || !Number.isNaN(p[f])) continue;
    const reason = isNameless(names[f] ?? '')
      ? 'it has no name: an address is another in each build'
      : samples < MIN_SAMPLES || !Number.isFinite(table.theta[f])
        ? 'the controls have too few samples of it, or have what would be new'
        : 'it is in nearly every sample, so its share cannot change';
    const group = groups.get(reason) ?? { functions: 0, samples: 0 };
    groups.set(reason, { functions: group.functions + 1, samples: group.samples + samples });
  }
  return [...groups].map(([reason, group]) => ({ reason, ...group }));
}
