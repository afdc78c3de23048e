import type { http } from '@everflame/protocols';
import { ago, exact, plural, span } from './format.ts';

/** What the server has done to find something, and what became of its messages. */
export function FindingWatch({ watch, nowMs }: { watch: http.FindingsAnswer['watch']; nowMs: number }) {
  const { lastPassAt, lastPassMs, looks, failed, webhooks } = watch;
  return (
    <section aria-labelledby="watch">
      <h2 id="watch">Watching</h2>
      <p class="hint">
        {lastPassAt === null
          ? 'The server has not looked at its services yet; it does once a minute.'
          : `All services were looked at ${ago(lastPassAt, nowMs)}${lastPassMs === null ? '' : `, in ${span(lastPassMs)}`}. ${plural(looks, 'comparison')} so far.`}
        {failed > 0 && ` ${plural(failed, 'look')} failed since the server started: its log says why.`}
      </p>
      {webhooks.length > 0 && (
        <div class="plain-scroll" tabIndex={0} role="region" aria-label="Webhooks">
          <table class="plain">
            <thead>
              <tr>
                <th class="left">Webhook</th>
                <th class="right">Delivered</th>
                <th class="right">Waiting</th>
                <th class="right">Failed attempts</th>
                <th class="right">Given up</th>
              </tr>
            </thead>
            <tbody>
              {webhooks.map((one) => (
                <tr key={one.name}>
                  <td class="left">{one.name}</td>
                  <td class="right">{exact(one.delivered)}</td>
                  <td class="right">{exact(one.waiting)}</td>
                  <td class="right">{exact(one.failedAttempts)}</td>
                  <td class="right">{exact(one.dropped)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
