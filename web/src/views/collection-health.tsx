import type { http } from '@everflame/protocols';
import type { AgentCost } from '../data/agent-costs.ts';
import { ago, amount, cores, exact, plural, timeOfDay } from './format.ts';

const silentMs = 60_000;

/** Who sends profiles, what was lost on the way and why. Small while all is well. */
export function CollectionHealth({
  status,
  nowMs,
  title,
  costs,
}: {
  status: http.StatusAnswer;
  nowMs: number;
  title: string;
  /** By host. */
  costs?: ReadonlyMap<string, AgentCost> | undefined;
}) {
  const { storage, agents } = status;
  return (
    <section class="health" aria-labelledby="health-title">
      <h2 id="health-title">{title}</h2>
      <p class="summary">
        <span>
          <b>{exact(storage.profiles)}</b> profiles in <b>{exact(storage.series)}</b> series
        </span>
        <span>
          <b>{amount(storage.bytes, 'bytes')}</b> on disk
        </span>
        {storage.oldest !== null && <span>since {timeOfDay(storage.oldest, nowMs)}</span>}
        <span>server {status.version}</span>
      </p>
      <StoreLosses storage={storage} nowMs={nowMs} />
      {agents.length === 0 ? (
        <p class="hint">No agent has reported. What is stored was sent by hand or by other tools.</p>
      ) : (
        <ul class="agents">
          {agents.map((agent) => (
            <AgentLine key={agent.id} agent={agent} nowMs={nowMs} cost={costs?.get(agent.hostName)} />
          ))}
        </ul>
      )}
    </section>
  );
}

const causes: Readonly<Record<Storage['deleted'][number]['cause'], string>> = {
  age: 'retention by age',
  selector: 'retention of a selector',
  size: 'retention by size',
};

/** What the store no longer has, and what of it cannot be read. Nothing while it has everything. */
function StoreLosses({ storage: { deleted, damaged }, nowMs }: { storage: Storage; nowMs: number }) {
  if (deleted.length + damaged.length === 0) return null;
  return (
    <ul class="agents" aria-label="Missing from the store">
      {damaged.map(({ file, reason, profiles, from, until }) => (
        <li key={file}>
          <span class="dot is-silent" aria-hidden="true" />
          <b>{file} cannot be read</b>
          {profiles > 0 && (
            <span>
              {plural(profiles, 'profile')} of {timeOfDay(from, nowMs)} to {timeOfDay(until, nowMs)} are missing in all
              answers
            </span>
          )}
          <span class="hint">{reason}</span>
        </li>
      ))}
      {deleted.map(({ cause, profiles, bytes, until }) => (
        <li key={cause}>
          <span>
            {causes[cause]} has deleted <b>{exact(profiles)}</b> profiles ({amount(bytes, 'bytes')}), the newest of{' '}
            {timeOfDay(until, nowMs)}
          </span>
        </li>
      ))}
    </ul>
  );
}

type Storage = http.StatusAnswer['storage'];
type Agent = http.StatusAnswer['agents'][number];

interface AgentLineProps {
  readonly agent: Agent;
  readonly nowMs: number;
  readonly cost: AgentCost | undefined;
}

function AgentLine({ agent, nowMs, cost }: AgentLineProps) {
  const isSilent = nowMs - agent.lastSeen > silentMs;
  const losses = agent.counters.filter((counter) => counter.total !== '0');
  return (
    <li>
      <span class={`dot${isSilent ? ' is-silent' : ''}`} aria-hidden="true" />
      <b>{agent.hostName}</b>
      <span>
        {isSilent ? 'silent, last heard ' : 'heard '}
        {ago(agent.lastSeen, nowMs)}
      </span>
      <span>
        agent {agent.version}, Linux {agent.kernel}, {agent.architecture}
      </span>
      {cost !== undefined && (
        <span>
          takes {cores(cost.cores)} itself
          {cost.newestMs !== undefined && `, newest samples of ${ago(cost.newestMs, nowMs)}`}
        </span>
      )}
      {losses.length === 0 ? (
        <span class="hint">nothing lost</span>
      ) : (
        <details class="losses">
          <summary>{plural(losses.length, 'cause')} of loss</summary>
          <table class="values">
            <tbody>
              {losses.map((one) => (
                <tr key={`${one.name} ${one.cause}`}>
                  <th scope="row">
                    {words(one.name)}: {words(one.cause)}
                  </th>
                  <td>{exact(BigInt(one.total))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </li>
  );
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}
