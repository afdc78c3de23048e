import { profileFromText } from '@everflame/profile/testing';
import { expect, test } from 'vitest';
import { compare } from './compare.ts';
import { CompareFailure } from './compare-failure.ts';
import type { Comparison, FunctionComparison } from './comparison.ts';
import type { FunctionNames, SideCounts } from './counts/side-counts.ts';
import type { CallTree } from './explain/call-tree.ts';
import { callTreeOfProfiles, type MergedSide } from './profiles/call-tree-of-profiles.ts';
import { FunctionTable } from './profiles/function-table.ts';
import { sentenceOf } from './sentence-of.ts';
import { countsFromText } from './testing/counts-from-text.ts';

function one(comparison: Comparison, name: string): FunctionComparison {
  const found = comparison.functions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${name} is missing`);
  return found;
}

function verdicts(comparison: Comparison): Record<string, string> {
  return Object.fromEntries(comparison.functions.map((each) => [each.name, each.verdictText]));
}

const shop = countsFromText('main@main.ts render@view.ts parse@json.ts');
const shopBefore = `
  a  1000  1000  200/200  300/300
  b  1000  1000  220/220  310/310
  c  1000  1000  190/190  290/290
  d  1000  1000  210/210  305/305
  e  1000  1000  180/180  300/300
  f  1000  1000  200/200  295/295`;
const shopAfter = `
  a  1000  1000  405/405  301/301
  b  1000  1000  440/440  312/312
  c  1000  1000  380/380  288/288
  d  1000  1000  415/415  306/306
  e  1000  1000  370/370  299/299
  f  1000  1000  395/395  297/297`;

test('a function whose share doubles on every host regressed; what is the same is unchanged; main is not tested and said so', () => {
  const result = compare({
    before: shop.side('v1', shopBefore),
    after: shop.side('v2', shopAfter),
    functions: shop.functions,
    kind: 'host',
  });
  const render = one(result, 'render');
  expect(render).toMatchObject({
    verdict: 'regressed',
    samplesBefore: 1200,
    samplesAfter: 2405,
    units: { before: 6, after: 6 },
  });
  expect(render.before).toBe(0.2);
  expect(render.change).toBeCloseTo(2405 / 1200 - 1, 12);
  expect(render.interval?.[0]).toBeGreaterThan(0.8);
  expect(render.interval?.[1]).toBeLessThan(1.25);
  expect(render.cores).toEqual({ before: 12 / 360, after: 24.05 / 360 });
  expect(one(result, 'parse').verdict).toBe('unchanged');
  expect(result.notTested).toEqual([
    { reason: 'it is in nearly every sample, so its share cannot change', functions: 1, samples: 12_000 },
  ]);
  expect(result.summary).toMatchObject({ pairedUnits: 6, weakEvidence: null, basis: 'cores' });
});

test('of a service of few functions a fallen share is no improvement while as much CPU is used, and no growth of load a regression', () => {
  const small = countsFromText('render@r.ts search@s.ts sort@t.ts');
  const side = (version: string, load: number, usual: readonly number[]): SideCounts => {
    const rows = ['a', 'b', 'c', 'd', 'e', 'f'].map((host, i) => {
      const counts = usual.map((count) => Math.round(count * load + 3 * (i % 3)));
      const all = counts.reduce((sum, count) => sum + count, 0);
      return `${host} ${all} ${counts.map((count) => `${count}/${count}`).join(' ')}`;
    });
    return small.side(version, rows.join('\n'));
  };
  const told = (before: SideCounts, after: SideCounts): string[] =>
    compare({ before, after, functions: small.functions, kind: 'host' }).functions.map(
      ({ name, verdictText }) => `${name}: ${verdictText}`,
    );
  const doubt = 'not enough data: its share changed, its cores per instance are not shown to';
  const plain = [400, 900, 700];
  expect(told(side('v1', 1, plain), side('v2', 1, [1200, 900, 700]))).toEqual([
    'render: regressed',
    `search: ${doubt}`,
    `sort: ${doubt}`,
  ]);
  expect(told(side('v1', 1, plain), side('v2', 1, [400, 900, 300]))).toContain('sort: improved');
  // Twice the load: all of them use more CPU, none of them a larger share.
  expect(told(side('v1', 1, plain), side('v2', 2, plain)).join()).not.toMatch(/regressed|improved/);
});

test('fewer than five units: effect and interval are shown, the verdict is the reason', () => {
  const few = (rows: string): string => rows.trim().split('\n').slice(0, 3).join('\n');
  const result = compare({
    before: shop.side('v1', few(shopBefore)),
    after: shop.side('v2', few(shopAfter)),
    functions: shop.functions,
    kind: 'host',
  });
  const render = one(result, 'render');
  expect(render).toMatchObject({ verdict: 'weak evidence', verdictText: 'weak evidence: 3 hosts', lean: 'regressed' });
  expect(render.interval).not.toBeNull();
  expect(one(result, 'parse')).toMatchObject({ verdict: 'weak evidence', lean: null });
  expect(sentenceOf(result)).toMatch(/^Weak evidence \(3 hosts\): v2 uses .* CPU per instance than v1\.$/);
});

test('one host: its interval is that of counting noise, or that of time blocks, and it is weak evidence either way', () => {
  const input = {
    functions: shop.functions,
    before: shop.side('v1', 'a 1000 1000 200/200 300/300'),
    after: shop.side('v2', 'a 1000 1000 405/405 301/301'),
  };
  const asHost = one(compare({ ...input, kind: 'host' }), 'render');
  expect(asHost).toMatchObject({ verdictText: 'weak evidence: 1 host', lean: 'regressed' });
  const reach = 1.96 * Math.sqrt((1 - 0.2) / 200 + (1 - 0.405) / 405);
  expect(asHost.interval?.[0]).toBeCloseTo((405 / 200) * Math.exp(-reach) - 1, 4);
  expect(asHost.interval?.[1]).toBeCloseTo((405 / 200) * Math.exp(reach) - 1, 4);
  expect(asHost.change).toBeCloseTo(405 / 200 - 1, 12);
  expect(compare({ ...input, kind: 'host' }).assumptions.join()).toContain('counting samples alone');
  const asBlocks = compare({
    functions: shop.functions,
    before: shop.side('v1', shopBefore),
    after: shop.side('v2', shopAfter),
    kind: 'block',
  });
  expect(asBlocks.summary).toMatchObject({ pairedUnits: 0, weakEvidence: '1 host' });
  expect(one(asBlocks, 'render')).toMatchObject({ verdictText: 'weak evidence: 1 host', lean: 'regressed' });
});

test('a function on all hosts of one side is new or gone; a burst on one host of six is neither', () => {
  const drawn = countsFromText('added@a.ts burst@b.ts dropped@c.ts base@d.ts');
  const result = compare({
    before: drawn.side(
      'v1',
      'a 1000 0 0 40/40 800\nb 1000 0 0 45/45 805\nc 1000 0 0 38/38 790\nd 1000 0 0 41/41 800\ne 1000 0 0 40/40 810\nf 1000 0 0 44/44 800',
    ),
    after: drawn.side(
      'v2',
      'a 1000 40/40 0 0 800\nb 1000 45/45 0 0 805\nc 1000 38/38 240/240 0 790\nd 1000 41/41 0 0 800\ne 1000 40/40 0 0 810\nf 1000 44/44 0 0 800',
    ),
    functions: drawn.functions,
    kind: 'host',
  });
  expect(verdicts(result)).toMatchObject({ added: 'new', dropped: 'gone', burst: 'not enough data' });
  expect(one(result, 'added')).toMatchObject({ change: null, interval: null, samplesBefore: 0, samplesAfter: 248 });
});

test('pods that were replaced are compared as two groups', () => {
  const result = compare({
    before: shop.side('v1', shopBefore),
    after: shop.side('v2', shopAfter.replaceAll(/^ *([a-f]) /gm, 'new-$1 ')),
    functions: shop.functions,
    kind: 'pod',
  });
  expect(result.summary.pairedUnits).toBe(0);
  expect(one(result, 'render').verdict).toBe('regressed');
  expect(result.assumptions[0]).toContain('compared as two groups');
});

test('controls that moved alike take the change away', () => {
  const sides = { before: shop.side('v1', shopBefore), after: shop.side('v2', shopAfter) };
  const rename = (rows: string): string => rows.replaceAll(/^ *([a-f]) /gm, 'control-$1 ');
  const controls = { before: shop.side('v1', rename(shopBefore)), after: shop.side('v1', rename(shopAfter)) };
  const result = compare({ ...sides, controls, functions: shop.functions, kind: 'host' });
  expect(one(result, 'render').change).toBeCloseTo(0, 12);
  expect(result.summary.counts.regressed).toBe(0);
  expect(result.assumptions.join()).toContain('difference-in-differences');
});

test('a change that is gone in the longer window went away', () => {
  const result = compare({
    before: shop.side('v1', shopBefore),
    after: shop.side('v2', shopAfter),
    extended: shop.side('v2', shopBefore),
    functions: shop.functions,
    kind: 'host',
  });
  expect(one(result, 'render')).toMatchObject({ verdictText: 'went away', persistence: 'went away' });
});

/** A merged call tree from drawings of both sides, whose functions have the files that the counts say. */
function treeOf({ name, file }: FunctionNames, before: string, after: string): CallTree {
  const table = new FunctionTable();
  for (const [id, each] of name.entries()) expect(table.idOf(each, file[id] ?? '')).toBe(id);
  const side = (text: string): MergedSide => {
    const profile = profileFromText(text, { sampleTypes: [{ type: 'samples', unit: 'count' }] });
    const strings = [...profile.strings];
    const fileString = profile.functions.nameString.map((row) => {
      const at = strings.indexOf(file[name.indexOf(strings[row] ?? '')] ?? '');
      return at >= 0 ? at : strings.push(file[name.indexOf(strings[row] ?? '')] ?? '') - 1;
    });
    return { profile: { ...profile, strings, functions: { ...profile.functions, fileString } }, typeIndex: 0 };
  };
  const places = Uint32Array.from(name, (_, id) => id);
  return callTreeOfProfiles(side(before), side(after), table, {
    before: places,
    after: places,
    formerNames: new Map(),
  });
}

const hosts = (row: (i: number) => string): string =>
  ['a', 'b', 'c', 'd', 'e', 'f'].map((host, i) => `${host} 1000 1000/100 ${row(i)}`).join('\n');

test('callers of what costs more point to it, and it leads', () => {
  const drawn = countsFromText('main@m.ts serve@s.ts render@r.ts format@f.ts parse@p.ts');
  const rows = (format: number): string =>
    hosts((i) => `${format + 100 + i} ${format + 100 + i}/100 ${format + i}/${format + i} ${300 - i}/${200 - i}`);
  const stacks = `
    main    main    main
    serve   serve   parse
    render  render
    format`;
  const result = compare({
    before: drawn.side('v1', rows(100)),
    after: drawn.side('v2', rows(200)),
    functions: drawn.functions,
    kind: 'host',
    tree: treeOf(drawn.functions, `${stacks}\n= 615 600 1785`, `${stacks}\n= 1215 600 1785`),
  });
  expect(verdicts(result)).toMatchObject({ serve: 'regressed', render: 'regressed', format: 'regressed' });
  for (const name of ['serve', 'render', 'format'])
    expect(one(result, name).carrier).toEqual({
      id: 3,
      name: 'format',
      file: 'f.ts',
      stack: ['main', 'serve', 'render', 'format'],
    });
  expect(result.summary.lead?.name).toBe('format');
});

test('a renamed function moved within its caller; in a class, within the class; a real change in the same file is none of it', () => {
  const drawn = countsFromText(
    'main@m.ts serve@s.ts encode@e.ts encodeFast@fast.ts Cart.total@c.ts Cart.sum@d.ts lone@e.ts',
  );
  const rows = (now: boolean): string =>
    hosts((i) => {
      const [encode, cart] = [`${200 + i}/${200 + i}`, `${150 - i}/${150 - i}`];
      const lone = now ? 180 + i : 90 + i;
      return `300/${100 - i} ${now ? `0 ${encode} 0 ${cart}` : `${encode} 0 ${cart} 0`} ${lone}/${lone}`;
    });
  const stacks = (encode: string): string => `
    main        main   main
    serve       serve  lone
    ${encode}`;
  const result = compare({
    before: drawn.side('v1', rows(false)),
    after: drawn.side('v2', rows(true)),
    functions: drawn.functions,
    kind: 'host',
    tree: treeOf(drawn.functions, `${stacks('encode')}\n= 1215 585 555`, `${stacks('encodeFast')}\n= 1215 585 1095`),
  });
  expect(verdicts(result)).toMatchObject({
    encode: 'moved within serve',
    encodeFast: 'moved within serve',
    'Cart.total': 'moved within Cart',
    'Cart.sum': 'moved within Cart',
    lone: 'regressed',
  });
});

test('what has no name is shown, and is neither new nor regressed', () => {
  const drawn = countsFromText('main@m [app+0x1a2b] work@w [stack_cut]');
  const functions = { ...drawn.functions, name: ['main', '[app+0x1a2b]', 'work', '[stack cut: no table]'] };
  const rows = (cells: string): string => [1, 2, 3, 4, 5, 6].map((host) => `h${host} 1000 ${cells}`).join('\n');
  const result = compare({
    before: drawn.side('v1', rows('1000 0 400/400 0')),
    after: drawn.side('v2', rows('1000 300/300 400/400 200/200')),
    functions,
    kind: 'host',
  });
  expect(one(result, '[app+0x1a2b]')).toMatchObject({ samplesAfter: 1800, p: null, q: null });
  expect(result.functions.filter(({ verdict }) => verdict === 'new' || verdict === 'regressed')).toEqual([]);
  expect(result.notTested).toContainEqual({
    reason: 'it has no name: an address is another in each build',
    functions: 2,
    samples: 3000,
  });
});

test('per request: twice the load at the same cost is no regression', () => {
  const requests = (per: number): Partial<SideCounts> => ({ unitRequests: new Float64Array(6).fill(per) });
  const twice = shopBefore.replaceAll(/\d+/g, (digits) => String(2 * Number(digits)));
  const result = compare({
    before: shop.side('v1', shopBefore, requests(100)),
    after: shop.side('v2', twice, requests(200)),
    functions: shop.functions,
    kind: 'host',
    options: { normalisation: 'request' },
  });
  expect(result.summary).toMatchObject({
    basis: 'request',
    verdict: 'unchanged',
    nature: 'load',
    before: { secondsPerRequest: 0.1 },
  });
  expect(one(result, 'render')).toMatchObject({ before: 0.02, after: 0.02, verdict: 'unchanged' });
  expect(sentenceOf(result)).toBe(
    'v2 uses as much CPU per request as v1, within ±7.8 %; its load changed: 100.0 % (±8.1) more CPU per instance.',
  );
});

test('hostile counts are refused by name', () => {
  const before = shop.side('v1', shopBefore);
  const input = { before, functions: shop.functions, kind: 'host' } as const;
  const code = (after: SideCounts): string => {
    try {
      compare({ ...input, after });
      return 'accepted';
    } catch (error) {
      return error instanceof CompareFailure ? error.code : String(error);
    }
  };
  expect(code(before)).toBe('accepted');
  expect(code(shop.side('v2', 'a 1000 1001 0 0'))).toBe('more_than_all');
  expect(code(shop.side('v2', 'a 100 100/60 100/60 0'))).toBe('more_than_all');
  expect(code(shop.side('v2', 'a 1000 9 0 0\na 1000 9 0 0'))).toBe('duplicate_unit');
  expect(code(shop.side('v2', 'a 1000 9.5 0 0'))).toBe('bad_count');
  expect(code({ ...before, cellUnit: before.cellUnit.slice(1) })).toBe('bad_shape');
  expect(code({ ...before, cellUnit: before.cellUnit.map(() => 7) })).toBe('bad_shape');
  expect(code(shop.side('v2', 'a 0 0 0 0'))).toBe('no_exposure');
  expect(code({ ...before, secondsPerSample: 0 })).toBe('bad_count');
  expect(() => compare({ ...input, after: before, options: { q: 0 } })).toThrow(/q 0/);
  expect(() => compare({ ...input, after: before, options: { look: 0 } })).toThrow(/look 0/);
  expect(() => compare({ ...input, after: before, options: { normalisation: 'request' } })).toThrow(/no requests/);
});
