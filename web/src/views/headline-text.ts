import type { ComparedFunction, SideWeight } from '../tree/comparison.ts';
import { cores, points } from './format.ts';
import { shortName } from './short-name.ts';

export interface HeadlineInput {
  readonly service: string;
  readonly before: SideWeight & { readonly name: string; readonly samples: number };
  readonly after: SideWeight & { readonly name: string; readonly samples: number };
  /** By self value. */
  readonly functions: readonly ComparedFunction[];
}

/** The comparison in a sentence or two; shares where use over time is not known. */
export function headlineOf({ service, before, after, functions }: HeadlineInput): { title: string; detail: string } {
  if (before.samples === 0 || after.samples === 0) {
    const empty = before.samples === 0 ? before.name : after.name;
    return {
      title: before.samples === after.samples ? 'Neither side has samples' : `There are no samples of ${empty}`,
      detail: 'Choose another version or a longer time range.',
    };
  }
  const grown = functions.toSorted((a, b) => Math.abs(b.deltaShare) - Math.abs(a.deltaShare))[0];
  const detail =
    grown === undefined || Math.abs(grown.deltaShare) < 0.0005
      ? 'No function changed its share by more than 0.05 points.'
      : `The largest change is in ${shortName(grown.name)}: ${points(grown.deltaShare)} points of the time spent in functions themselves` +
        `${grown.presence === 'new' ? ', it is new' : grown.presence === 'gone' ? ', it is gone' : ''}.`;
  return { title: titleOf(service, before, after), detail };
}

function titleOf(service: string, before: HeadlineInput['before'], after: HeadlineInput['after']): string {
  if (before.rate === null || after.rate === null || before.rate === 0)
    return `${service === '' ? '' : `${service}: `}${after.name} against ${before.name}`;
  const ratio = (after.rate / before.rate - 1) * 100;
  const numbers = `${cores(after.rate)} on average, ${cores(before.rate)} before`;
  if (Math.abs(ratio) < 0.05) return `${service} ${after.name} uses as much CPU as ${before.name}: ${numbers}`;
  return `${service} ${after.name} uses ${Math.abs(ratio).toFixed(1)} % ${ratio > 0 ? 'more' : 'less'} CPU than ${before.name}: ${numbers}`;
}
