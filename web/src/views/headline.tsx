import type { http } from '@everflame/protocols';
import type { Loaded } from '../data/use-query.ts';
import { minSamplesToColour } from '../tree/change.ts';
import { plural, span } from './format.ts';

/** Shorter averages move by a tenth from one time to the next, even when nothing changed. */
const reliableMs = 60_000;

interface Props {
  /** What the numbers say without statistics. */
  readonly text: { readonly title: string; readonly detail: string };
  readonly compared: Loaded<http.CompareAnswer>;
  /** Wall time behind the shorter average. */
  readonly overMs: number;
}

/** The comparison in a sentence, and how far it can be trusted. */
export function Headline({ text, compared, overMs }: Props) {
  const { value, problem, loading } = compared;
  const short =
    overMs < reliableMs && ` The cores of one side are an average over ${span(overMs)} only, and say little.`;
  if (value === null) {
    return (
      <div class="headline" aria-busy={loading}>
        <h2>{text.title}</h2>
        <p>{text.detail}</p>
        <p class="hint">
          {loading && 'Looking at every instance, whether this is more than noise …'}
          {!loading && problem !== null && (
            <>
              Whether this is more than noise could not be judged: {problem.detail}. Look at the samples behind it.
              Frames with fewer than {minSamplesToColour} samples on both sides together are not coloured.
            </>
          )}
          {short}
        </p>
      </div>
    );
  }
  const { summary } = value;
  const facts = [
    `${plural(summary.before.units, summary.unitKind)} before, ${summary.after.units} after`,
    ...(summary.pairedUnits > 0 ? [`${summary.pairedUnits} compared with themselves`] : []),
    ...(summary.past > 0 ? [`${plural(summary.past, 'past comparison')} known`] : []),
    ...(summary.look === null
      ? []
      : [`look ${summary.look} of the server, whose intervals hold over all looks together`]),
    ...(value.mde === null ? [] : [`a change of ${(value.mde * 100).toFixed(1)} % would have been found`]),
  ];
  return (
    <div class="headline" aria-busy={loading}>
      <h2>{value.sentence}</h2>
      <p>{text.detail}</p>
      <p class="hint">
        {facts.join(' · ')}.{short}
      </p>
      {(value.assumptions.length > 0 || value.notTested.length > 0) && (
        <details class="assumptions">
          <summary>What this rests on</summary>
          <ul>
            {value.assumptions.map((one) => (
              <li key={one}>{one}</li>
            ))}
            {value.notTested.map(({ reason, functions }) => (
              <li key={reason}>
                {plural(functions, 'function')} not tested: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
