import type { Profile } from '../profile.ts';
import { labelText } from './build-tree.ts';
import { dropUninteresting } from './drop-frames.ts';
import { framesOfLocation } from './location-frames.ts';
import { compareText } from './tree.ts';

export interface FoldedOptions {
  /** Put behind the names of kernel frames. `profile-bpfcc -a -f` writes `_[k]`. Default none. */
  readonly kernelSuffix?: string;
  /** Sample labels whose value goes in front of each stack; the first that a sample has counts (`profile-bpfcc -f` puts the command there). */
  readonly prefixLabels?: readonly string[];
  /** Which samples count, by the row of their label set. */
  readonly filter?: (labelSet: number) => boolean;
}

/**
 * Folded stacks, one line each: `prefix;root;…;leaf value`, sorted, equal stacks summed exactly, values of 0 left out. In
 * names `;` becomes `:` and a line break a blank, since the format has no escapes. Frames that the profile
 * calls uninteresting (`dropFrames`) are left out. Empty text for an empty profile.
 */
export function foldedStacks(source: Profile, typeIndex: number, options: FoldedOptions = {}): string {
  const profile = dropUninteresting(source);
  const { samples, stacks, sampleTypes } = profile;
  const suffix = options.kernelSuffix ?? '';
  const textOfLocation = new Map<number, string>();
  const locationText = (location: number): string => {
    const known = textOfLocation.get(location);
    if (known !== undefined) return known;
    const frames = framesOfLocation(profile, location).toReversed();
    const text = frames.map((frame) => safe(frame.name) + (frame.kind === 'kernel' ? suffix : '')).join(';');
    textOfLocation.set(location, text);
    return text;
  };
  const sums = new Map<string, bigint>();
  for (let i = 0; i < samples.length; i++) {
    const value = samples.values[i * sampleTypes.length + typeIndex] ?? 0n;
    const labelSet = samples.labelSet[i] ?? 0;
    if (value === 0n || options.filter?.(labelSet) === false) continue;
    const parts: string[] = [];
    for (let s = samples.stack[i] ?? 0; s !== 0; s = stacks.parent[s] ?? 0) {
      parts.push(locationText(stacks.location[s] ?? 0));
    }
    const prefix = firstLabel(profile, labelSet, options.prefixLabels ?? []);
    if (prefix !== undefined) parts.push(safe(prefix));
    const line = parts.toReversed().join(';');
    sums.set(line, (sums.get(line) ?? 0n) + value);
  }
  const lines = [...sums].sort(([a], [b]) => compareText(a, b));
  return lines.map(([stack, value]) => `${stack} ${value}\n`).join('');
}

function firstLabel(profile: Profile, labelSet: number, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const text = labelText(profile, labelSet, key);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

function safe(name: string): string {
  return name.replaceAll(';', ':').replaceAll(/[\r\n]+/g, ' ');
}
