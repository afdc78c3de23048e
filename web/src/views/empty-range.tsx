import { loadStatus } from '../data/queries.ts';
import { useQuery } from '../data/use-query.ts';
import { EmptyStore } from './empty-store.tsx';
import { timeOfDay } from './format.ts';

/** Nothing matched: whether the store is empty, or only this range or selector. */
export function EmptyRange({ query, from, onAll }: { query: string; from: string; onAll: () => void }) {
  const status = useQuery('status', async (signal) => loadStatus(signal)).value;
  if (status === null) return <div class="skeleton" aria-hidden="true" />;
  if (status.storage.profiles === 0) return <EmptyStore />;
  const { oldest, newest } = status.storage;
  return (
    <section class="empty">
      <h2>Nothing matches here</h2>
      <p>
        No stored profile matches <code>{query === '' ? 'this query' : query}</code> in this range.
        {oldest !== null && newest !== null && (
          <>
            {' '}
            The store holds profiles from {timeOfDay(oldest)} to {timeOfDay(newest)}.
          </>
        )}
      </p>
      {from !== 'now-7d' && (
        <button type="button" class="button is-primary" onClick={onAll}>
          Look at the last 7 days
        </button>
      )}
    </section>
  );
}
