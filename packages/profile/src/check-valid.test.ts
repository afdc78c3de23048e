import { expect, test } from 'vitest';
import { checkValid } from './check-valid.ts';
import type { Profile } from './profile.ts';
import { profileFromText } from './testing/index.ts';

const whole = profileFromText(`
  main@/bin/x  main@/bin/x
  a            b
  ~ t=x        -
`);

test('each broken invariant is named', () => {
  const { stacks, locations, labelSets, samples, functions, mappings } = whole;
  const broken: readonly (readonly [field: string, change: Partial<Profile>])[] = [
    ['string_table[0]', { strings: ['x', ...whole.strings.slice(1)] }],
    [`string_table[${whole.strings.length}]`, { strings: [...whole.strings, 'main'] }],
    [`string_table[${whole.strings.length}]`, { strings: [...whole.strings, '\uD800'] }],
    ['sample_type', { sampleTypes: [] }],
    ['period', { period: 2n ** 63n }],
    ['mapping.filename[1]', { mappings: { ...mappings, fileString: Uint32Array.of(0, 999) } }],
    ['function.start_line', { functions: { ...functions, startLine: new BigInt64Array(1) } }],
    [
      'location.mapping_id[1]',
      { locations: { ...locations, mapping: locations.mapping.map((m) => m + 5).fill(0, 0, 1) } },
    ],
    ['location.line', { locations: { ...locations, lineOffset: locations.lineOffset.map(() => 0) } }],
    ['stack[1]', { stacks: { ...stacks, parent: stacks.parent.map((p, s) => (s === 1 ? 1 : p)) } }],
    ['stack[2]', { stacks: { ...stacks, location: stacks.location.map((l, s) => (s === 2 ? 0 : l)) } }],
    [
      'stack[3]',
      { stacks: { ...stacks, location: stacks.location.map((l, s) => (s === 3 ? (stacks.location[2] ?? 0) : l)) } },
    ],
    ['label.key[0]', { labelSets: { ...labelSets, keyString: Uint32Array.of(999) } }],
    ['sample.stack[0]', { samples: { ...samples, stack: samples.stack.map(() => 99) } }],
    ['sample.value', { samples: { ...samples, values: new BigInt64Array(1) } }],
  ];
  expect(checkValid(whole)).toBeNull();
  expect(broken.map(([, change]) => checkValid({ ...whole, ...change })?.field)).toEqual(
    broken.map(([field]) => field),
  );
});
