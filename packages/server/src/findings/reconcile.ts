import type { http } from '@everflame/protocols';
import { type Candidate, functionKey, type Look } from './candidates.ts';
import type { FindingsStore, StoredFinding } from './findings-store.ts';

/** What the findings of one look are about. */
export interface Subject {
  readonly kind: http.Finding['kind'];
  readonly service: string;
  readonly environment: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly atMs: number;
  readonly link: string;
}

export interface FindingEvent {
  readonly event: http.WebhookEvent['event'];
  readonly finding: http.Finding;
}

/** One key for each pair of versions and start: a roll-out that is repeated after a roll-back is looked at anew. */
export function subjectKey({ kind, service, environment, before, after, atMs }: Subject): string {
  return JSON.stringify([kind, service, environment, before, after, kind === 'deployment' ? atMs : null]);
}

function findingKey(
  subject: string,
  { function: name, file }: Pick<Candidate, 'function' | 'file'>,
  isMore: boolean,
): string {
  return JSON.stringify([subject, name, file, isMore]);
}

/** A change over time that has lasted so long is how things are. */
const mostOverTimeMs = 7 * 24 * 3_600_000;

const isMore = ({ verdict }: Pick<http.Finding, 'verdict'>): boolean => verdict === 'regressed' || verdict === 'new';

/**
 * Brings the stored findings of a subject in line with a look. New ones are opened and known ones updated. An open one that the look did not show again is not
 * closed for that, since each look must ask for more than the last: it has gone away when its change has the other sign or less than half of the size that it was
 * opened with (the rule of `persists` in packages/compare), when its cost was moved only, or when the function is no longer there. Runs in a transaction.
 */
export function reconcile(
  store: FindingsStore,
  subject: Subject,
  look: Look,
  looks: number,
  nowMs: number,
): FindingEvent[] {
  const key = subjectKey(subject);
  const known = store.ofSubject(key);
  const events: FindingEvent[] = [];
  const confirmed = new Set<string>();
  for (const candidate of look.candidates) {
    const findingId = findingKey(key, candidate, isMore(candidate));
    confirmed.add(findingId);
    const old = known.get(findingId);
    const finding = store.put(key, findingId, {
      ...findingOf(subject, candidate, looks),
      openedChange: old === undefined ? candidate.change : old.openedChange,
      openedAt: old?.openedAt ?? nowMs,
      updatedAt: nowMs,
    });
    if (old === undefined) events.push({ event: 'opened', finding });
    else if (old.state === 'closed') events.push({ event: 'reopened', finding });
  }
  for (const [findingId, old] of known) {
    if (old.state === 'closed' || confirmed.has(findingId)) continue;
    const standing = look.asked[functionKey(old.function, old.file)];
    const { id: _id, ...rest } = old;
    if (old.kind === 'over_time' && old.at < nowMs - mostOverTimeMs) {
      const closed: StoredFinding = {
        ...rest,
        state: 'closed',
        closedReason: 'replaced',
        closedAt: nowMs,
        updatedAt: nowMs,
      };
      events.push({ event: 'closed', finding: store.put(key, findingId, closed) });
    } else if (standing === undefined || standing.isMoved || !lasts(old, standing)) {
      const closed: StoredFinding = {
        ...rest,
        state: 'closed',
        closedReason: 'went_away',
        closedAt: nowMs,
        updatedAt: nowMs,
      };
      events.push({ event: 'closed', finding: store.put(key, findingId, closed) });
    } else {
      const { change, interval, q, samplesBefore, samplesAfter } = standing;
      store.put(key, findingId, {
        ...rest,
        change,
        interval,
        q,
        samplesBefore,
        samplesAfter,
        updatedAt: nowMs,
        look: looks,
      });
    }
  }
  return events;
}

/** What no longer runs, or is older than its window, closes without another look. */
export function closeSubject(store: FindingsStore, subject: string, nowMs: number): FindingEvent[] {
  const events: FindingEvent[] = [];
  for (const [key, { id: _id, ...old }] of store.ofSubject(subject)) {
    if (old.state === 'closed') continue;
    const closed: StoredFinding = {
      ...old,
      state: 'closed',
      closedReason: 'replaced',
      closedAt: nowMs,
      updatedAt: nowMs,
    };
    events.push({ event: 'closed', finding: store.put(subject, key, closed) });
  }
  return events;
}

/** What the next look is to say of: the functions of the open findings. */
export function askedFunctions(store: FindingsStore, subject: Subject): [name: string, file: string][] {
  const open = [...store.ofSubject(subjectKey(subject)).values()].filter(({ state }) => state === 'open');
  return open.map((finding) => [finding.function, finding.file]);
}

function lasts(old: http.Finding, { change, samplesBefore, samplesAfter }: Look['asked'][string]): boolean {
  if (old.openedChange === null || change === null)
    return old.verdict === 'new' ? samplesBefore === 0 : samplesAfter === 0;
  const [was, is] = [Math.log1p(old.openedChange), Math.log1p(change)];
  return Math.sign(was) === Math.sign(is) && Math.abs(is) >= Math.abs(was) / 2;
}

function findingOf(
  subject: Subject,
  candidate: Candidate,
  looks: number,
): Omit<StoredFinding, 'openedAt' | 'updatedAt' | 'openedChange'> {
  const { kind, service, environment, before, after, atMs, link } = subject;
  const { stack, interval, atMs: ownMs, ...rest } = candidate;
  return {
    ...rest,
    interval: interval === null ? null : [interval[0], interval[1]],
    stack: [...stack],
    kind,
    service,
    environment,
    before,
    after,
    at: ownMs ?? atMs,
    link,
    look: looks,
    state: 'open',
    closedReason: null,
    closedAt: null,
  };
}
