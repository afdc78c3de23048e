import type { Profile } from '../profile.ts';

/** Label names and values of a series or a sample. An absent label and one with the value `''` mean the same. */
export type Labels = Readonly<Record<string, string>>;

export const MAX_LABELS = 64;
/** UTF-16 units of a name. */
export const MAX_LABEL_NAME = 128;
/** UTF-8 bytes of a value. */
export const MAX_LABEL_VALUE_BYTES = 2048;

/** `series`: names are identifiers. `sample`: names are what programs chose, so any text without control characters. */
export type LabelKind = 'series' | 'sample';

export type LabelCheck =
  | { readonly ok: true }
  /** `label` is the offending name; `message` one sentence. */
  | { readonly ok: false; readonly error: { readonly label: string; readonly message: string } };

const IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** The rules for labels; says which one is broken by which label. */
export function checkLabels(labels: Labels, kind: LabelKind = 'series'): LabelCheck {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    return refuse(
      entries[MAX_LABELS]?.[0] ?? '',
      `There are ${entries.length} labels; at most ${MAX_LABELS} may be given.`,
    );
  }
  for (const [name, value] of entries) {
    const wrong = wrongName(name, kind) ?? wrongValue(name, value);
    if (wrong !== undefined) return refuse(name, wrong);
  }
  return { ok: true };
}

function refuse(label: string, message: string): LabelCheck {
  return { ok: false, error: { label, message } };
}

function wrongName(name: string, kind: LabelKind): string | undefined {
  if (name === '') return 'A label has no name.';
  const shown = JSON.stringify(name.slice(0, 40));
  if (!name.isWellFormed()) return `The label name ${shown} is not valid Unicode.`;
  if (name.length > MAX_LABEL_NAME) {
    return `The label name ${shown}… is longer than ${MAX_LABEL_NAME} characters.`;
  }
  if (CONTROL.test(name)) return `The label name ${shown} has a control character.`;
  if (kind === 'series' && !IDENTIFIER.test(name)) {
    return `The label name ${shown} is not an identifier (letters, digits and _, not beginning with a digit).`;
  }
  // The one identifier that plain objects treat specially.
  if (name === '__proto__') return 'The label name "__proto__" is reserved.';
  return undefined;
}

function wrongValue(name: string, value: string): string | undefined {
  if (!value.isWellFormed()) return `The value of the label ${name} is not valid Unicode.`;
  // A UTF-16 unit takes at most 3 bytes of UTF-8, at least 1.
  if (value.length <= MAX_LABEL_VALUE_BYTES / 3) return undefined;
  const bytes = new TextEncoder().encode(value).length;
  if (bytes <= MAX_LABEL_VALUE_BYTES) return undefined;
  return `The value of the label ${name} has ${bytes} bytes; at most ${MAX_LABEL_VALUE_BYTES} are allowed.`;
}

/** A text that two label sets share exactly when they mean the same: names sorted, empty values left out. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels).filter((name) => labels[name] !== '');
  return JSON.stringify(names.sort().flatMap((name) => [name, labels[name] ?? '']));
}

/**
 * The labels of set `set` of a profile: text labels as they are, numeric ones in decimal. Where a key occurs twice the
 * first counts.
 */
export function labelsOfSet(profile: Profile, set: number): Labels {
  const { labelSets, strings } = profile;
  const labels = new Map<string, string>();
  for (let i = labelSets.offset[set] ?? 0; i < (labelSets.offset[set + 1] ?? 0); i++) {
    const key = strings[labelSets.keyString[i] ?? 0] ?? '';
    if (labels.has(key)) continue;
    const text = labelSets.textString[i] ?? 0;
    labels.set(key, text === 0 ? String(labelSets.number[i] ?? 0n) : (strings[text] ?? ''));
  }
  return Object.fromEntries(labels);
}
