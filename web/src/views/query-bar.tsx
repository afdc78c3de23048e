import type { http } from '@everflame/protocols';
import { loadLabelValues, loadProfileTypes } from '../data/queries.ts';
import { useQuery } from '../data/use-query.ts';
import { joinQuery, labelIn, splitQuery, withLabel, withoutLabel } from '../state/query-text.ts';
import type { Span } from '../state/time-range.ts';
import { SelectorInput } from './selector-input.tsx';

interface Props {
  readonly query: string;
  readonly span: Span | null;
  readonly onChange: (query: string) => void;
}

/** Service, profile type and selector: three views of one query. */
export function QueryBar({ query, span, onChange }: Props) {
  const { type, selector } = splitQuery(query);
  const key = span === null ? null : `${span.fromMs}-${span.untilMs}`;
  const services = useQuery(key, async (signal) => loadLabelValues('service_name', span ?? nowhere, signal)).value;
  const types = useQuery(key, async (signal) => loadProfileTypes(span ?? nowhere, signal)).value;
  const service = labelIn(selector, 'service_name');
  const serviceNames = withCurrent(services?.values ?? [], service);
  const typeIds = withCurrent(types?.profileTypes.map((one) => one.id) ?? [], type);
  return (
    <div class="query-bar">
      <label class="field">
        <span>Service</span>
        <select
          value={service}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            const next =
              chosen === '' ? withoutLabel(selector, 'service_name') : withLabel(selector, 'service_name', chosen);
            onChange(joinQuery({ type, selector: next }));
          }}
        >
          <option value="">all services</option>
          {serviceNames.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Profile</span>
        <select value={type} onChange={(event) => onChange(joinQuery({ type: event.currentTarget.value, selector }))}>
          {type === '' && <option value="">the only one there is</option>}
          {typeIds.map((id) => (
            <option key={id} value={id}>
              {typeName(id, types?.profileTypes ?? [])}
            </option>
          ))}
        </select>
      </label>
      <div class="field is-wide">
        <span aria-hidden="true">Labels</span>
        <SelectorInput
          value={selector}
          span={span}
          onCommit={(next) => onChange(joinQuery({ type, selector: next }))}
        />
      </div>
    </div>
  );
}

const nowhere: Span = { fromMs: 0, untilMs: 1 };

function withCurrent(all: readonly string[], current: string): readonly string[] {
  const named = all.filter((one) => one !== '');
  return current === '' || named.includes(current) ? named : [current, ...named];
}

const knownTypes: Readonly<Record<string, string>> = {
  'process_cpu:cpu:nanoseconds:cpu:nanoseconds': 'CPU time',
  'process_cpu:samples:count:cpu:nanoseconds': 'CPU samples',
};

/** Words for the common types; the others by name, kind and unit. */
function typeName(id: string, types: readonly http.ProfileType[]): string {
  const known = knownTypes[id];
  if (known !== undefined) return known;
  const type = types.find((one) => one.id === id);
  return type === undefined ? id : `${type.name}: ${type.sampleType} (${type.sampleUnit})`;
}
