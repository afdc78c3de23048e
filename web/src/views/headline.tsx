import { minSamplesToColour } from '../tree/change.ts';
import { span } from './format.ts';

/** Shorter averages move by a tenth from one time to the next, even when nothing changed. */
const reliableMs = 60_000;

/** The comparison in a sentence, and how far it can be trusted. `overMs`: wall time behind the shorter average. */
export function Headline({ text, overMs }: { text: { title: string; detail: string }; overMs: number }) {
  return (
    <div class="headline">
      <h2>{text.title}</h2>
      <p>{text.detail}</p>
      <p class="hint">
        Whether a difference is more than noise is not judged yet: look at the samples behind it. Frames with fewer than{' '}
        {minSamplesToColour} samples on both sides together are not coloured.
        {overMs < reliableMs && ` The cores of one side are an average over ${span(overMs)} only, and say little.`}
      </p>
    </div>
  );
}
