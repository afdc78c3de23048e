import { cellsOf, type CountList, type FunctionNames, type SideCounts, sumOf } from '../counts/side-counts.ts';
import type { Analysis } from '../effects/analyse.ts';
import type { CommonChange } from '../effects/effect-table.ts';
import type { TQuantiles } from '../tests/relevant-effect.ts';
import { type ChangeTree, NO_FUNCTION } from './call-tree.ts';

/** The domain's change must be known to be less than this part of the function's. */
const STAYS = 0.5;
/** So much of the function's change must have gone to, or come from, others in the domain. */
const COUNTERPART = 0.5;
/** A domain that is nearly the whole service always keeps its share: it explains nothing. */
const TOO_WIDE = 0.8;

interface Domain {
  readonly label: string;
  readonly members: readonly number[];
  readonly list: CountList;
}

/** Parts of the whole service that functions gained or lost, by id; dilution taken off. */
export interface Parts {
  readonly inclusive: Float64Array;
  readonly self: Float64Array;
}

/**
 * Cost shift: did the function's cost only move within a domain (its caller, its class or package, its file, a namesake in another
 * file) whose own cost stayed? Source: FBDetect (SOSP 2024) §5.5; of its authors' false alarms 15 in 21 were cost shifts.
 *
 * The published rule takes |Δ_D| ≤ 0.2|Δ_f| or a loose interval; here the domain's 90 % interval must lie within ±0.5|Δ_f|, which is
 * a test of equivalence (Schuirmann 1987): a domain that is too noisy to tell never excuses a regression. And somebody in the
 * domain must have changed the other way by half as much, else nothing was moved.
 */
export class CostShifts {
  readonly #analysis: Analysis;
  readonly #names: FunctionNames;
  readonly #common: CommonChange | null;
  readonly #parts: Parts;
  readonly #tree: ChangeTree | null;
  readonly #quantiles: TQuantiles;
  readonly #groups: readonly { readonly keyOf: (id: number) => string; readonly members: Map<string, number[]> }[];
  readonly #limits = new Map<string, readonly [low: number, high: number] | null>();

  constructor(
    analysis: Analysis,
    names: FunctionNames,
    common: CommonChange | null,
    parts: Parts,
    tree: ChangeTree | null,
    quantiles: TQuantiles,
  ) {
    this.#analysis = analysis;
    this.#names = names;
    this.#common = common;
    this.#parts = parts;
    this.#tree = tree;
    this.#quantiles = quantiles;
    const keys = [
      (id: number) => names.name[id] ?? '',
      (id: number) => ownerOf(names.name[id] ?? ''),
      (id: number) => names.file[id] ?? '',
    ];
    this.#groups = keys.map((keyOf) => ({ keyOf, members: groupBy(names.name.length, keyOf) }));
  }

  /** Label of the narrowest domain within which the function's cost moved; `null` when its change is its own. */
  movedWithin(id: number): string | null {
    for (const domain of this.#domainsOf(id)) {
      const delta = this.#parts[domain.list][id] ?? 0;
      if (this.#counterpart(domain, id, delta) < COUNTERPART * Math.abs(delta)) continue;
      const limits = this.#limitsOf(domain);
      const bound = STAYS * Math.abs(delta);
      if (limits !== null && limits[0] > -bound && limits[1] < bound) return domain.label;
    }
    return null;
  }

  *#domainsOf(id: number): Generator<Domain> {
    const selfPart = this.#parts.self[id] ?? 0;
    const part = this.#parts.inclusive[id] ?? 0;
    // By class and file only self counts add up without counting twice; they speak for a function that carries its change itself.
    if (selfPart * part > 0 && Math.abs(selfPart) >= 0.5 * Math.abs(part)) {
      for (const { keyOf, members } of this.#groups) {
        const key = keyOf(id);
        const group = members.get(key) ?? [];
        if (key !== '' && group.length > 1) yield { label: key, members: group, list: 'self' };
      }
    }
    const caller = this.#mainCaller(id);
    if (caller !== null) yield { label: this.#names.name[caller] ?? '', members: [caller], list: 'inclusive' };
  }

  /** The function that calls `id` where at least 0.8 of its change is. */
  #mainCaller(id: number): number | null {
    if (this.#tree === null) return null;
    const byCaller = new Map<number, number>();
    let all = 0;
    for (const node of this.#tree.nodesOf(id)) {
      const caller = this.#tree.tree.functionId[this.#tree.tree.parent[node] ?? 0] ?? NO_FUNCTION;
      const delta = this.#tree.delta[node] ?? 0;
      all += delta;
      byCaller.set(caller, (byCaller.get(caller) ?? 0) + delta);
    }
    for (const [caller, delta] of byCaller)
      if (caller !== NO_FUNCTION && caller !== id && all !== 0 && delta / all >= 0.8) return caller;
    return null;
  }

  /** How much the others of the domain changed against the function. */
  #counterpart(domain: Domain, id: number, delta: number): number {
    let against = 0;
    if (domain.list === 'self') {
      for (const other of domain.members)
        if (other !== id) against += Math.max(0, -Math.sign(delta) * (this.#parts.self[other] ?? 0));
      return against;
    }
    const caller = domain.members[0] ?? 0;
    against += Math.max(0, -Math.sign(delta) * (this.#parts.self[caller] ?? 0));
    for (const node of this.#tree?.nodesOf(caller) ?? [])
      for (const child of this.#tree?.childrenOf(node) ?? [])
        if (this.#tree?.tree.functionId[child] !== id)
          against += Math.max(0, -Math.sign(delta) * (this.#tree?.delta[child] ?? 0));
    return against;
  }

  /** 90 % interval of the domain's change as a part of the service; null when it cannot be said. */
  #limitsOf(domain: Domain): readonly [low: number, high: number] | null {
    const key = `${domain.list} ${domain.members.join()}`;
    const known = this.#limits.get(key);
    if (known !== undefined) return known;
    const limits = this.#computeLimits(domain);
    this.#limits.set(key, limits);
    return limits;
  }

  #computeLimits(domain: Domain): readonly [low: number, high: number] | null {
    const { contrast } = this.#analysis;
    const influence = new Float64Array(contrast.rows);
    const columns = contrast.cells.map((cell) => sumOfMembers(cell.counts, domain));
    const before = contrast.rate('before', sumOf(columns[0] ?? new Float64Array(0)));
    const whole = contrast.rate('before', sumOf(contrast.cells[0].counts.unitSamples));
    if (before / whole > TOO_WIDE) return null;
    const theta = contrast.effectOf(columns, influence) - (this.#common?.theta ?? 0);
    if (!Number.isFinite(theta)) return null;
    if (this.#common !== null)
      for (let h = 0; h < influence.length; h++) influence[h] = (influence[h] ?? 0) - (this.#common.influence[h] ?? 0);
    const binomial = columns.reduce((sum, column) => sum + 1 / Math.max(sumOf(column), 1), 0);
    const samples = sumOf(columns[0] ?? new Float64Array(0)) + sumOf(columns[1] ?? new Float64Array(0));
    const { variance, df } = this.#analysis.moderated.draw(contrast.variance(influence), binomial, samples);
    const reach = this.#quantiles.upper(0.05, df) * Math.sqrt(variance + (this.#analysis.driftSd ?? 0) ** 2);
    const change = (at: number): number => (before / whole) * Math.expm1(at);
    return [change(theta - reach), change(theta + reach)];
  }
}

function sumOfMembers(counts: SideCounts, domain: Domain): Float64Array {
  const column = new Float64Array(counts.unitNames.length);
  const cells = cellsOf(counts, domain.list);
  for (const id of domain.members) {
    const end = counts.functionStart[id + 1] ?? 0;
    for (let i = counts.functionStart[id] ?? 0; i < end; i++) {
      const unit = counts.cellUnit[i] ?? 0;
      column[unit] = (column[unit] ?? 0) + (cells[i] ?? 0);
    }
  }
  return column;
}

/** Class or package of a function's name, the way the languages write it: before the last `::`, `.` or `#`; `''` when there is none. */
export function ownerOf(name: string): string {
  const at = Math.max(name.lastIndexOf('::'), name.lastIndexOf('.'), name.lastIndexOf('#'));
  return at > 0 ? name.slice(0, at) : '';
}

function groupBy(length: number, keyOf: (id: number) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (let id = 0; id < length; id++) {
    const key = keyOf(id);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [id]);
    else group.push(id);
  }
  return groups;
}
