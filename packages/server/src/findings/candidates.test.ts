import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { lookOf } from './candidates.ts';

type Row = http.CompareAnswer['functions'][number];

/** A row drawn as `name verdict change part`, with the function that carries its change. */
function row(drawing: string, carrier?: string): Row {
  const [name = '', verdict = '', change = '', part = '0'] = drawing.split(' ');
  const value = change === '-' ? null : Number(change);
  return {
    name,
    file: `${name}.ts`,
    before: 0.1,
    after: 0.2,
    cores: null,
    change: value,
    interval: value === null ? null : [value - 0.1, value + 0.1],
    rawChange: value,
    part: Number(part),
    selfPart: 0,
    p: 0.001,
    q: 0.01,
    verdict: verdict as Row['verdict'],
    verdictText: verdict,
    lean: null,
    mde: 0.1,
    samplesBefore: verdict === 'new' ? 0 : 100,
    samplesAfter: verdict === 'gone' ? 0 : 100,
    selfBefore: 1,
    selfAfter: 1,
    units: { before: 8, after: 8 },
    movedWithin: null,
    nameBefore: null,
    dilutedBy: null,
    carrier: carrier === undefined ? null : { name: carrier, file: `${carrier}.ts`, stack: ['main', carrier] },
    persistence: 'not checked',
    lines: null,
  };
}

function answerOf(functions: Row[], whole: http.CompareAnswer['summary']['verdict'] = 'unchanged'): http.CompareAnswer {
  const side = (version: string) => ({
    query: '',
    from: 0,
    until: 1,
    profiles: 1,
    total: '1',
    version,
    units: version === 'v1' ? 8 : 6,
    samples: 1000,
    cores: null,
    coresInterval: null,
    secondsPerRequest: null,
    secondsPerRequestInterval: null,
  });
  const change = { change: 0.08, interval: [0.05, 0.11] as [number, number], mde: 0.03 };
  return {
    service: 'shop',
    profileType: '',
    unit: '',
    sentence: 'v2 uses 8.0 % more CPU than v1.',
    summary: {
      before: side('v1'),
      after: side('v2'),
      normalisation: 'share',
      unitKind: 'host',
      pairedUnits: 6,
      weakEvidence: null,
      verdict: whole,
      nature: 'none',
      basis: null,
      requestKind: 'request',
      change,
      equalWork: null,
      cores: null,
      request: null,
      lead: null,
      counts: {
        regressed: 0,
        improved: 0,
        unchanged: 0,
        'not enough data': 0,
        moved: 0,
        new: 0,
        gone: 0,
        'weak evidence': 0,
      },
      look: 1,
      past: 0,
      controls: 0,
      minEffect: 0.02,
      q: 0.05,
    },
    functions,
    mde: 0.03,
    assumptions: [],
    notTested: [],
  };
}

const drawn = (answer: http.CompareAnswer) =>
  lookOf(answer, []).candidates.map((one) => `${one.function || '(whole)'} ${one.verdict} +${one.others} ${one.units}`);

test('a change is one finding: its carrier stands for the callers that it took with it', () => {
  const answer = answerOf([
    row('main regressed 0.1 0.1', 'parse'),
    row('handle regressed 0.2 0.09', 'parse'),
    row('parse regressed 0.9 0.08', 'parse'),
    row('old improved -0.5 -0.03', 'old'),
    row('taxes new - 0.02'),
    row('cart gone - -0.01'),
    row('other unchanged 0 0'),
    row('shifted moved 0.5 0.2'),
  ]);
  expect(drawn(answer)).toEqual(['parse regressed +2 6', 'old improved +0 6', 'taxes new +0 6', 'cart gone +0 6']);
  expect(lookOf(answer, []).candidates.map(({ sentence }) => sentence)).toEqual([
    'shop v2: parse regressed by +90.0 % (+80.0 % to +100.0 %) against v1, 8.0 % of the service',
    'shop v2: old improved by −50.0 % (−60.0 % to −40.0 %) against v1, 3.0 % of the service',
    'shop v2: taxes is new and takes 2.0 % of the service',
    'shop v2: cart is gone, which was 1.0 % of the service',
  ]);
});

test('where the carrier itself is no finding, the largest stands for it', () => {
  const answer = answerOf([row('main regressed 0.1 0.05', 'parse'), row('handle regressed 0.2 0.09', 'parse')]);
  expect(drawn(answer)).toEqual(['handle regressed +1 6']);
});

test('the whole is a finding when no function of its direction is', () => {
  expect(drawn(answerOf([], 'regressed'))).toEqual(['(whole) regressed +0 6']);
  expect(drawn(answerOf([row('old improved -0.5 -0.03')], 'regressed'))).toEqual([
    '(whole) regressed +0 6',
    'old improved +0 6',
  ]);
  expect(drawn(answerOf([row('parse regressed 0.5 0.03')], 'regressed'))).toEqual(['parse regressed +0 6']);
});

test('weak evidence is no finding, and what is left out is counted', () => {
  expect(
    drawn(
      answerOf(
        [row('parse weak 0.5 0.03')].map((one) => ({ ...one, verdict: 'weak evidence' })),
        'weak evidence',
      ),
    ),
  ).toEqual([]);
  const many = Array.from({ length: 60 }, (_, i) => row(`f${i} regressed 0.5 0.0${i + 10}`));
  expect(lookOf(answerOf(many), [])).toMatchObject({ more: 10, candidates: { length: 50 } });
});

test('functions that are asked for say where they stand', () => {
  const answer = answerOf([row('parse unchanged 0.01 0'), row('shifted moved 0.5 0.2')]);
  const { asked } = lookOf(answer, [
    ['parse', 'parse.ts'],
    ['shifted', 'shifted.ts'],
    ['vanished', ''],
    ['', ''],
  ]);
  expect(Object.values(asked).map(({ change, isMoved }) => [change, isMoved])).toEqual([
    [0.01, false],
    [0.5, true],
    [0.08, false],
  ]);
});
