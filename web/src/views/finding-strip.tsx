import type { http } from '@everflame/protocols';
import type { Loaded } from '../data/use-query.ts';
import { Link } from './link.tsx';
import { findingLooks } from './verdict-tag.tsx';

/** The newest finding in one line, whose height is there from the first, so that nothing moves when it comes. */
export function FindingStrip({ loaded }: { loaded: Loaded<http.FindingsAnswer> }) {
  const { value, problem } = loaded;
  const [first] = value?.findings ?? [];
  const others = (value?.findings.length ?? 0) - 1;
  return (
    <p class="finding-strip" role="status">
      <Link href="/findings">Findings</Link>
      {first === undefined ? (
        <span class="hint">{value === null ? (problem?.detail ?? 'asking …') : nothingText(value.watch)}</span>
      ) : (
        <>
          <span class={`tag verdict ${findingLooks[first.verdict]}`}>{first.verdict}</span>
          <b>{first.service}</b>
          <Link href={first.link} class="finding-sentence" title={first.sentence}>
            {first.sentence}
          </Link>
          {others > 0 && <Link href="/findings">{`${others} more`}</Link>}
        </>
      )}
    </p>
  );
}

/** "None" is told from "nobody has looked". */
export function nothingText({ lastPassAt, looks }: http.FindingsAnswer['watch']): string {
  if (lastPassAt === null) return 'none yet: the server has not looked so far';
  return looks === 0
    ? 'none: no service has been deployed in two versions yet'
    : 'none: nothing that is more than noise';
}
