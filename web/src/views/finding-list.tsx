import type { NewestChange } from '../data/use-verdicts.ts';
import { compareHref } from '../state/page-state.ts';
import { isFinding } from '../tree/verdicts.ts';
import { ago, plural } from './format.ts';
import { Link } from './link.tsx';
import { VerdictTag } from './verdict-tag.tsx';

/** Whether a comparison says something that somebody should look at. */
export function isWorthTelling({ answer }: NewestChange): boolean {
  if (answer?.ok !== true) return false;
  const { verdict } = answer.value.summary;
  return verdict === 'regressed' || verdict === 'improved' || answer.value.functions.some(isFinding);
}

/** What the newest versions changed, each a sentence and a link to all of it. */
export function FindingList({
  changes,
  nowMs,
  most,
}: {
  changes: readonly NewestChange[];
  nowMs: number;
  most: number;
}) {
  return (
    <ul class="findings">
      {changes.map((change) => {
        const { service, before, after, at, answer } = change;
        const href = compareHref({ service, before, after });
        const functions = answer?.ok === true ? answer.value.functions.filter(isFinding) : [];
        return (
          <li key={`${service} ${after}`} class="finding" aria-busy={answer === null}>
            <p>
              {answer?.ok === true && (
                <span
                  class={`tag verdict ${answer.value.summary.verdict === 'regressed' ? 'is-more' : answer.value.summary.verdict === 'improved' ? 'is-less' : 'is-calm'}`}
                >
                  {answer.value.summary.verdict}
                </span>
              )}{' '}
              <b>{service}</b>{' '}
              <Link href={href}>{answer?.ok === true ? answer.value.sentence : `${after} against ${before}`}</Link>{' '}
              <span class="hint">first seen {ago(at, nowMs)}</span>
            </p>
            {answer === null && <p class="hint">Looking at every instance …</p>}
            {answer?.ok === false && <p class="hint">Not judged: {answer.problem.detail}</p>}
            {functions.length > 0 && (
              <ul class="finding-functions">
                {functions.slice(0, most).map((one) => (
                  <li key={one.name}>
                    <VerdictTag one={one} /> <code>{one.name}</code> <span class="hint">{one.verdictText}</span>
                  </li>
                ))}
                {functions.length > most && (
                  <li class="hint">
                    <Link href={compareHref({ service, before, after, only: 'significant', sort: 'verdict' })}>
                      {plural(functions.length - most, 'more function')}
                    </Link>
                  </li>
                )}
              </ul>
            )}
          </li>
        );
      })}
    </ul>
  );
}
