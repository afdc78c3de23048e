import { signal } from '@preact/signals';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { apiUrl, failure } from '../data/api.ts';
import { askWorker } from '../data/ask-worker.ts';
import { buildIdsOf } from '../data/build-ids.ts';
import { filtersOf } from '../data/queries.ts';
import type { SourceOfLines } from '../data/source-of-lines.ts';
import { useQuery } from '../data/use-query.ts';
import type { LocalFile } from '../data/worker-messages.ts';
import { type CompareState, type UploadState, uploadHref, uploadState } from '../state/page-state.ts';
import { navigate } from '../state/router.ts';
import { exact } from '../views/format.ts';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { ComparePanel } from './compare-panel.tsx';
import { FlamegraphPanel } from './flamegraph-panel.tsx';

/** Kept while the page is open, also while other pages of it are looked at. */
const files = signal<readonly (LocalFile & { readonly key: number })[]>([]);
let lastKey = 0;
/** One file, uncompressed in memory. */
const mostBytes = 256 * 1024 * 1024;
const noAverages = { before: null, after: null };
const unjudged = {
  value: null,
  loading: false,
  problem: failure(0, 'files', 'Two files', 'two files say nothing of how far profiles differ by themselves').problem,
};

/** The list of a field empties with it. */
async function take(list: readonly File[]): Promise<string> {
  const refused: string[] = [];
  for (const file of list) {
    if (file.size > mostBytes) {
      refused.push(`${file.name} is larger than 256 MiB: send it to the server instead.`);
      continue;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    files.value = [...files.value, { key: ++lastKey, name: file.name, bytes }];
  }
  return refused.join(' ');
}

/** Files of other tools, looked at and compared in this browser alone; stored only when asked. */
export function UploadPage({ search }: { search: string }) {
  const state = useMemo(() => uploadState.parse(search), [search]);
  const change = useCallback(
    (part: Partial<UploadState>, how: 'push' | 'replace' = 'push') => navigate(uploadHref({ ...state, ...part }), how),
    [state],
  );
  const [isOver, setIsOver] = useState(false);
  const [message, setMessage] = useState('');
  const all = files.value;
  const shown = all[Number(state.file)] ?? all[0];
  const [first, second] = all;
  const isCompared = state.compare === 'yes' && first !== undefined && second !== undefined;
  const filters = filtersOf(state);
  const byLine = state.frames === 'line';
  const local = useQuery(
    shown === undefined || isCompared ? null : JSON.stringify([shown.key, filters, state.type, byLine]),
    async (abort) =>
      asAnswer(async () =>
        askWorker<'import'>({ kind: 'import', file: plain(shown), filters, type: state.type, byLine }, abort),
      ),
  );
  const [before, after] = state.swap === 'yes' ? [second, first] : [first, second];
  const diff = useQuery(isCompared ? `${before?.key} ${after?.key}` : null, async (abort) =>
    asAnswer(async () => askWorker<'diff'>({ kind: 'diff', before: plain(before), after: plain(after) }, abort)),
  );
  useEffect(() => {
    document.title = 'Files · Everflame';
  }, []);
  const merged = useMemo(
    () =>
      local.value === null
        ? null
        : { tree: local.value.tree, unit: local.value.unit, profileType: local.value.type, profiles: 1 },
    [local.value],
  );
  const builds = useMemo(
    () => ({ ids: local.value === null ? null : buildIdsOf(local.value.binaries), ask: () => undefined }),
    [local.value],
  );
  const lines: SourceOfLines = {
    load: async (name, abort) =>
      asAnswer(async () =>
        askWorker<'lines'>({ kind: 'lines', file: plain(shown), filters, type: state.type, name }, abort),
      ),
    text: null,
  };
  const add = (list: FileList | null) =>
    void take([...(list ?? [])]).then(setMessage, (error: unknown) => setMessage(String(error)));
  const problem = isCompared ? diff.problem : local.problem;
  const side = (file: LocalFile | undefined) => ({
    name: file?.name ?? '',
    query: '',
    span: { fromMs: 0, untilMs: 0 },
  });
  return (
    <div class="page">
      <h1>Files</h1>
      <label
        class={`drop${isOver ? ' is-over' : ''}${all.length > 0 ? ' is-small' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          add(event.dataTransfer?.files ?? null);
        }}
      >
        <span>
          <b>Drop profiles here</b>, or choose them: pprof, folded stacks, perf script, speedscope, Chrome’s cpuprofile.
          They stay in this browser.
        </span>
        <input
          type="file"
          multiple
          aria-label="Choose profiles"
          onChange={(event) => {
            add(event.currentTarget.files);
            event.currentTarget.value = '';
          }}
        />
      </label>
      {message !== '' && <p class="notice is-problem">{message}</p>}
      {all.length > 0 && (
        <div class="file-list" role="group" aria-label="Files">
          {all.map((file, index) => (
            <span key={file.key} class="filter-chip">
              <button
                type="button"
                class="filter-chip-name"
                aria-pressed={!isCompared && file === shown}
                onClick={() => change({ file: String(index), compare: 'no', zoom: '' })}
              >
                {file.name}
              </button>
              <button
                type="button"
                class="filter-chip-remove"
                onClick={() => {
                  files.value = all.filter((one) => one !== file);
                  change({ file: '0', compare: 'no', zoom: '' });
                }}
              >
                <span aria-hidden="true">×</span>
                <span class="visually-hidden">Remove {file.name}</span>
              </button>
            </span>
          ))}
          {second !== undefined && (
            <button
              type="button"
              class="button"
              aria-pressed={isCompared}
              onClick={() => change({ compare: isCompared ? 'no' : 'yes', zoom: '' })}
            >
              Compare the first two
            </button>
          )}
          {isCompared && (
            <button type="button" class="button" onClick={() => change({ swap: state.swap === 'yes' ? 'no' : 'yes' })}>
              Swap
            </button>
          )}
        </div>
      )}
      <Progress
        active={local.loading || diff.loading}
        onCancel={() => {
          if (local.loading) local.cancel?.();
          if (diff.loading) diff.cancel?.();
        }}
      />
      {problem !== null && <ProblemNotice problem={problem} />}
      {all.length > 0 && (local.loading || diff.loading) && merged === null && diff.value === null && (
        <div class="skeleton flame-skeleton" aria-hidden="true" />
      )}
      {!isCompared && merged !== null && local.value !== null && shown !== undefined && (
        <>
          <p class="hint">
            {local.value.format}, {exact(shown.bytes.length)} bytes. {local.value.notes.join(' ')}
          </p>
          {local.value.types.length > 1 && (
            <label class="field is-inline">
              <span>Value</span>
              <select
                value={local.value.type}
                onChange={(event) => change({ type: event.currentTarget.value, zoom: '' })}
              >
                {local.value.types.map((one) => (
                  <option key={one} value={one}>
                    {one}
                  </option>
                ))}
              </select>
            </label>
          )}
          <FlamegraphPanel
            merged={merged}
            average={null}
            state={{ ...state, by: '' }}
            change={change}
            stale={local.loading}
            name={shown.name}
            pprofHref={null}
            loadPart={null}
            countFocus={null}
            lines={lines}
            builds={builds}
          />
          <StoreFile key={shown.key} file={shown} />
        </>
      )}
      {isCompared && diff.value !== null && (
        <ComparePanel
          diff={diff.value}
          sides={{ before: side(before), after: side(after) }}
          averages={noAverages}
          compared={unjudged}
          service=""
          state={compareStateOf(state)}
          change={(part, how) => change(fromCompare(part), how)}
          stale={diff.loading}
        />
      )}
    </div>
  );
}

async function asAnswer<T>(ask: () => Promise<T>) {
  try {
    return { ok: true as const, value: await ask() };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    return failure(0, 'file', 'This file cannot be shown', error instanceof Error ? error.message : String(error));
  }
}

function plain(file: LocalFile | undefined): LocalFile {
  return { name: file?.name ?? '', bytes: file?.bytes ?? new Uint8Array() };
}

type Shared = Pick<CompareState, 'width' | 'values' | 'only' | 'of' | 'zoom' | 'search' | 'filter'>;

function compareStateOf(state: UploadState): Shared & Pick<CompareState, 'sort'> {
  const { width, values, only, of, zoom, search, filter, change_sort: sort } = state;
  return { width, values, only, of, zoom, search, filter, sort };
}

function fromCompare({ sort, ...part }: Partial<CompareState>): Partial<UploadState> {
  const { width, values, only, of, zoom, search, filter } = part;
  const known = Object.entries({ width, values, only, of, zoom, search, filter }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...Object.fromEntries(known), ...(sort !== undefined && { change_sort: sort }) };
}

/** Sends a file to the server, as pprof, under a name. */
function StoreFile({ file }: { file: LocalFile }) {
  const [service, setService] = useState('');
  const [version, setVersion] = useState('');
  const [said, setSaid] = useState('');
  const store = async () => {
    setSaid('Storing …');
    const pprof = await askWorker<'pprof'>({ kind: 'pprof', file: plain(file) }, new AbortController().signal);
    const response = await fetch(apiUrl('/profiles', { service_name: service, service_version: version }), {
      method: 'POST',
      body: pprof,
    });
    const problem = response.ok ? null : ((await response.json()) as { detail?: string });
    setSaid(
      problem === null ? `Stored as ${service}.` : `The server did not take it: ${problem.detail ?? response.status}`,
    );
  };
  return (
    <form
      class="store-file"
      onSubmit={(event) => {
        event.preventDefault();
        store().catch((error: unknown) =>
          setSaid(`It was not stored: ${error instanceof Error ? error.message : String(error)}`),
        );
      }}
    >
      <label class="field">
        <span>Store it as service</span>
        <input
          type="text"
          class="text-input"
          required
          value={service}
          onInput={(event) => setService(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Version</span>
        <input
          type="text"
          class="text-input"
          value={version}
          onInput={(event) => setVersion(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button">
        Store in this server
      </button>
      <output>{said}</output>
    </form>
  );
}
