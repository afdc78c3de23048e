import { compileMatcher, type LabelInput, type Labels, type Matcher } from '@everflame/profile';
import { type Dictionary, int64At, labelWords } from './dictionary.ts';

/** Marks a label set whose samples are not wanted. */
export const excluded = -1;
const unknown = -2;

interface WithDictionary {
  readonly dictionary: Dictionary;
}

const noLabels: Labels = Object.freeze(Object.create(null) as Labels);

/** A matcher whose regular expression is compiled, once for a query. */
export interface Condition {
  readonly name: string;
  readonly test: (value: string) => boolean;
}

export function conditionsOf(matchers: readonly Matcher[]): readonly Condition[] {
  return matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
}

/** One series as a query meets it: its labels, and the conditions that its own labels do not decide. */
export interface SelectedSeries {
  readonly labels: Labels;
  /** On labels that the series does not have: the samples decide. */
  readonly open: readonly Condition[];
}

/** The series with its open conditions; null when its own labels already fail. */
export function selectSeries(labels: Labels, conditions: readonly Condition[]): SelectedSeries | null {
  const open: Condition[] = [];
  for (const condition of conditions) {
    const own = Object.hasOwn(labels, condition.name) ? labels[condition.name] : undefined;
    if (own === undefined) open.push(condition);
    else if (!condition.test(own)) return null;
  }
  return { labels, open };
}

/** The labels of a stored label set by the rules of `labelsOfSet`: numbers in decimal, of several with one key the first. */
export function labelsOf(dictionary: Dictionary, set: number): Labels {
  const labels = new Map<string, string>();
  for (const { key, text, number } of postedLabels(dictionary, set)) {
    if (!labels.has(key)) labels.set(key, text === '' ? String(number) : text);
  }
  return Object.assign(Object.create(null), Object.fromEntries(labels)) as Labels;
}

/** A stored label set as it was posted. */
export function postedLabels(dictionary: Dictionary, set: number): Required<LabelInput>[] {
  const labels: Required<LabelInput>[] = [];
  const { labelSets } = dictionary;
  const { words } = labelSets;
  for (let at = labelSets.start(set); at < labelSets.end(set); at += labelWords.count) {
    labels.push({
      key: dictionary.text(words[at + labelWords.key] ?? 0),
      text: dictionary.text(words[at + labelWords.text] ?? 0),
      number: int64At(words, at + labelWords.number),
      unit: dictionary.text(words[at + labelWords.unit] ?? 0),
    });
  }
  return labels;
}

/**
 * What becomes of each stored label set in one query, per series: left out, or a class of its own (numbered from 0).
 * Remembers its answers, so that a row of a vector costs one look into an array.
 */
export class LabelView {
  readonly #keep: 'own' | readonly string[];
  readonly #classes = new Map<string, number>();
  readonly classLabels: LabelInput[][] = [];
  #part: WithDictionary | null = null;
  #ofSeries = new Map<SelectedSeries, Map<number, number>>();
  #texts = new Map<number, Labels>();
  #own = new Map<number, number>();

  constructor(keep: 'own' | readonly string[]) {
    this.#keep = keep;
  }

  /** From here on numbers of label sets are those of this part. Its dictionary is asked for when labels of samples matter. */
  use(part: WithDictionary): void {
    this.#part = part;
    this.#ofSeries = new Map();
    this.#texts = new Map();
    this.#own = new Map();
  }

  /** The class of each of a profile's label sets. */
  classes(series: SelectedSeries, sets: Uint32Array): Int32Array {
    let known = this.#ofSeries.get(series);
    if (known === undefined) {
      known = new Map();
      this.#ofSeries.set(series, known);
    }
    const classes = new Int32Array(sets.length);
    for (let i = 0; i < sets.length; i++) {
      const set = sets[i] ?? 0;
      let found = known.get(set) ?? unknown;
      if (found === unknown) {
        found = this.#classOf(series, set);
        known.set(set, found);
      }
      classes[i] = found;
    }
    return classes;
  }

  #classOf(series: SelectedSeries, set: number): number {
    const keep = this.#keep;
    const own = series.open.length > 0 || keep !== 'own' ? this.#text(set) : {};
    if (!series.open.every(({ name, test }) => test(own[name] ?? ''))) return excluded;
    if (keep === 'own') return this.#ownClass(set);
    const labels: LabelInput[] = [];
    for (const name of keep) {
      const text = series.labels[name] ?? own[name];
      if (text !== undefined && text !== '') labels.push({ key: name, text });
    }
    return this.#class(JSON.stringify(labels), labels);
  }

  /** Labels in the order of their keys: what order a program wrote them in makes no other set. */
  #ownClass(set: number): number {
    const known = this.#own.get(set);
    if (known !== undefined) return known;
    const labels = set === 0 ? [] : postedLabels(this.#used(), set);
    labels.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const spelt = labels.map(({ key, text, number, unit }) => [key, text, String(number), unit]);
    const found = this.#class(JSON.stringify(spelt), labels);
    this.#own.set(set, found);
    return found;
  }

  #class(key: string, labels: LabelInput[]): number {
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const number = this.classLabels.push(labels) - 1;
    this.#classes.set(key, number);
    return number;
  }

  #text(set: number): Labels {
    let labels = this.#texts.get(set);
    if (labels === undefined) {
      labels = set === 0 ? noLabels : labelsOf(this.#used(), set);
      this.#texts.set(set, labels);
    }
    return labels;
  }

  #used(): Dictionary {
    if (this.#part === null) throw new Error('no part is in use');
    return this.#part.dictionary;
  }
}
