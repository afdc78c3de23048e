import { describe, expect, test } from 'vitest';
import { pprofCorpus } from '../../../../test/corpus/pprof/corpus.ts';
import { goPprof, goTop, type GoTopRow } from '../../../../test/corpus/pprof/go-pprof.ts';
import { checkValid } from '../check-valid.ts';
import { inferProfileName } from '../profile-type.ts';
import type { Profile } from '../profile.ts';
import { topFunctions } from '../views/functions.ts';
import { decodeProfile } from './decode-profile.ts';
import { encodeProfile } from './encode-profile.ts';

function decoded(bytes: Uint8Array): Profile {
  const result = decodeProfile(bytes);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

const corpus = pprofCorpus();
const distinct = corpus.filter(
  ({ bytes }, at) => corpus.findIndex((other) => Buffer.compare(other.bytes, bytes) === 0) === at,
);

test('the corpus is there, and its compressed copies hold the same', () => {
  expect(distinct.length).toBeGreaterThanOrEqual(15);
  expect(distinct.length).toBe(corpus.length - 2);
});

describe.each(distinct)('$name', ({ name, bytes }) => {
  test('is valid and round-trips', () => {
    const profile = decoded(bytes);
    expect(checkValid(profile)).toBeNull();
    const encoded = encodeProfile(profile);
    expect(decoded(encoded)).toEqual(profile);
    expect(encodeProfile(decoded(encoded))).toEqual(encoded);
  });

  test('is the same to go tool pprof after a round trip', () => {
    const encoded = encodeProfile(decoded(bytes));
    expect(goPprof(['-raw'], encoded).toString()).toBe(goPprof(['-raw'], bytes).toString());
  });

  test('has a name of its kind', () => {
    const kind = /\/(?<kind>[a-z]+)/.exec(name)?.groups?.['kind'] ?? '';
    const expected = { cpu: 'process_cpu', heap: 'memory', allocs: 'memory' }[kind] ?? kind;
    expect(inferProfileName(decoded(bytes))).toBe(expected);
  });

  test('has the functions of go tool pprof -top, to the last digit', () => {
    const profile = decoded(bytes);
    let compared = 0;
    for (const [typeIndex, { type, unit }] of profile.sampleTypes.entries()) {
      const ours = topFunctions(profile, typeIndex);
      const rows = ours.frames.name.map((function_, row): GoTopRow => {
        const [flat = 0n, cum = 0n] = [ours.self[row], ours.total[row]];
        return { name: function_, flat, cum };
      });
      // go tool pprof leaves out what sums to zero.
      const shown = rows.filter(({ flat, cum }) => flat !== 0n || cum !== 0n);
      compared += shown.length;
      expect(byName(shown)).toEqual(byName(goTop(bytes, type, unit)));
    }
    expect(compared).toBeGreaterThan(0);
  });

  test('is refused or read at every cut, never half', () => {
    const wrong: string[] = [];
    for (let end = 0; end < bytes.length; end++) {
      const result = decodeProfile(bytes.subarray(0, end));
      // A cut between two fields of the message leaves a shorter, whole message.
      const error = result.ok ? checkValid(result.profile) : null;
      if (error !== null) wrong.push(`cut at ${end}: ${error.message}`);
      if (!result.ok && (!result.error.message.endsWith('.') || result.error.offset > end)) wrong.push(`cut at ${end}`);
    }
    expect(wrong).toEqual([]);
  });
});

function byName(rows: readonly GoTopRow[]): GoTopRow[] {
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : Number(a.cum - b.cum)));
}
