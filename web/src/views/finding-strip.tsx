import type { NewestChange } from '../data/use-verdicts.ts';
import { compareHref } from '../state/page-state.ts';
import { isWorthTelling } from './finding-list.tsx';
import { Link } from './link.tsx';

/** The newest finding in one line, whose height is there from the first, so that nothing moves when it comes. */
export function FindingStrip({ changes }: { changes: readonly NewestChange[] }) {
  const found = changes.filter(isWorthTelling);
  const [first] = found;
  const isJudging = changes.some(({ answer }) => answer === null);
  return (
    <p class="finding-strip" role="status">
      <Link href="/findings">Findings</Link>
      {first?.answer?.ok === true ? (
        <>
          <b>{first.service}</b>
          <Link
            href={compareHref({ service: first.service, before: first.before, after: first.after })}
            class="finding-sentence"
            title={first.answer.value.sentence}
          >
            {first.answer.value.sentence}
          </Link>
          {found.length > 1 && <Link href="/findings">{`${found.length - 1} more`}</Link>}
        </>
      ) : (
        <span class="hint">
          {isJudging
            ? 'looking at the newest versions …'
            : changes.length === 0
              ? 'none: no service in two versions yet'
              : 'none: no newest version changed more than noise'}
        </span>
      )}
    </p>
  );
}
