/** The shapes of /api/v1/compare; `everflame diff` writes the same for files. */
import { type Static, Type } from 'typebox';
import { Int64, nullable, SelectorQuery, SidesQuery, strict, UnixMs } from './shapes.ts';

/** `before` and `after` are versions of `service`; without them the sides are selectors and ranges, as in /api/v1/diff. */
export const CompareQuery = {
  ...SelectorQuery,
  ...SidesQuery,
  service: Type.Optional(Type.String({ description: 'service_name; needs before and after' })),
  before: Type.Optional(
    Type.String({
      description:
        'service_version. Without from and until the last hour that there is of each version is compared, from a full hour on',
    }),
  ),
  after: Type.Optional(Type.String({ description: 'service_version' })),
  env: Type.Optional(Type.String({ description: 'deployment_environment_name' })),
  normalisation: Type.Optional(
    Type.String({
      description:
        'what CPU is divided by: share (of all samples, default), cores (per instance), request (needs before_requests and after_requests)',
    }),
  ),
  before_requests: Type.Optional(
    Type.String({
      description: 'requests that each unit of the before side served in its range: host-1=1200,host-2=1300',
    }),
  ),
  after_requests: Type.Optional(Type.String({ description: 'the same of the after side' })),
  min_effect: Type.Optional(
    Type.String({ description: 'smallest relative change that matters: 2% or 0.02. Default 2%' }),
  ),
  q: Type.Optional(Type.String({ description: 'false discovery rate of the findings. Default 0.05' })),
  look: Type.Optional(
    Type.String({
      description: '1, 2, 3, … when the same is asked again as data comes in: the error of all looks together stays',
    }),
  ),
  past: Type.Optional(
    Type.String({
      description:
        'how many pairs of earlier windows of the before side, without a deployment, show how far the service wanders by itself. At most and by default 14; 0 asks none',
    }),
  ),
};

const RelativeChange = Type.Number({ description: 'relative: 0.3 is +30 %' });
/** 95 %, more at repeated looks. */
const Limits = Type.Tuple([Type.Number(), nullable(Type.Number(), 'null: without bound')]);
const CompareChange = Type.Object(
  {
    change: RelativeChange,
    interval: nullable(Limits, '95 % interval of the change'),
    mde: nullable(Type.Number(), 'smallest change that would have been found with probability 0.8'),
  },
  strict,
);
const CompareSide = Type.Object(
  {
    query: Type.String({ description: 'selector, or names of files' }),
    from: UnixMs,
    until: UnixMs,
    profiles: Type.Integer(),
    total: Int64,
    version: Type.String(),
    units: Type.Integer(),
    samples: Type.Number(),
    cores: nullable(Type.Number(), 'CPU per instance, in cores; null when not known'),
    coresInterval: nullable(Limits, '95 % interval of cores'),
    secondsPerRequest: nullable(Type.Number(), 'CPU per request; null when nobody counted requests'),
    secondsPerRequestInterval: nullable(Limits, '95 % interval of secondsPerRequest'),
  },
  strict,
);
export const CompareVerdict = Type.Enum([
  'regressed',
  'improved',
  'unchanged',
  'not enough data',
  'moved',
  'new',
  'gone',
  'weak evidence',
]);
export type CompareVerdict = Static<typeof CompareVerdict>;
export const CompareLine = Type.Object(
  {
    lineBefore: nullable(Type.Integer(), 'number of the line; null when that side has none'),
    lineAfter: nullable(Type.Integer(), 'they differ where the line stands elsewhere in its file'),
    before: Type.Number({ description: 'inclusive, as for functions' }),
    after: Type.Number(),
    change: nullable(RelativeChange, 'as for functions'),
    interval: nullable(Limits, '95 % interval of the change'),
    q: nullable(Type.Number(), 'with all functions and lines accounted for'),
    verdict: CompareVerdict,
    verdictText: Type.String(),
    samplesBefore: Type.Number(),
    samplesAfter: Type.Number(),
  },
  strict,
);
export type CompareLine = Static<typeof CompareLine>;
export const CompareFunction = Type.Object(
  {
    name: Type.String(),
    file: Type.String(),
    nameBefore: nullable(
      Type.String(),
      'what the before side calls it where that differs: a function without a name that stands at another line of its file',
    ),
    before: Type.Number({
      description:
        'inclusive, in the unit of the normalisation: a share, cores per instance, or CPU seconds per request',
    }),
    after: Type.Number(),
    cores: nullable(Type.Object({ before: Type.Number(), after: Type.Number() }, strict), 'cores per instance'),
    change: nullable(
      RelativeChange,
      'what was tested: dilution and the daily drift are off it; null when one side has none',
    ),
    interval: nullable(Limits, '95 % interval of the change'),
    rawChange: nullable(RelativeChange, 'as the flame graphs show it'),
    part: Type.Number({ description: 'absolute change as a part of the whole service before' }),
    selfPart: Type.Number({ description: 'what of part is in the function itself' }),
    p: nullable(Type.Number(), 'of "the change is larger than min_effect"'),
    q: nullable(Type.Number(), 'p with all functions accounted for (Benjamini-Hochberg)'),
    verdict: CompareVerdict,
    verdictText: Type.String({ description: 'for people: "moved within billing.ts", "unchanged within ±4 %"' }),
    lean: nullable(Type.Enum(['regressed', 'improved']), 'where weak evidence leans'),
    mde: nullable(Type.Number(), 'smallest change that would have been found with probability 0.8'),
    samplesBefore: Type.Number(),
    samplesAfter: Type.Number(),
    selfBefore: Type.Number({ description: 'samples that end in it' }),
    selfAfter: Type.Number(),
    units: Type.Object({ before: Type.Integer(), after: Type.Integer() }, strict),
    movedWithin: nullable(Type.String(), 'where its cost went to or came from'),
    dilutedBy: nullable(Type.String(), 'whose change shifted its share, though it costs the same'),
    carrier: nullable(
      Type.Object({ name: Type.String(), file: Type.String(), stack: Type.Array(Type.String()) }, strict),
      'the stack that carries the change, root first, and the function at its end',
    ),
    persistence: Type.Enum(['lasts', 'went away', 'not checked']),
    lines: nullable(
      Type.Array(CompareLine),
      'source lines of a function that changed, findings first; null where none is known or looked at',
    ),
  },
  strict,
);
export type CompareFunction = Static<typeof CompareFunction>;
export const CompareAnswer = Type.Object(
  {
    service: Type.String({ description: 'or empty' }),
    profileType: Type.String(),
    unit: Type.String(),
    sentence: Type.String({ description: 'the headline' }),
    summary: Type.Object(
      {
        before: CompareSide,
        after: CompareSide,
        normalisation: Type.Enum(['share', 'cores', 'request']),
        unitKind: Type.Enum(['host', 'pod', 'process', 'block', 'file']),
        pairedUnits: Type.Integer({ description: 'units on both sides, compared with themselves' }),
        weakEvidence: nullable(Type.String(), 'why no verdict is given: "3 hosts"'),
        verdict: Type.Enum(['regressed', 'improved', 'unchanged', 'not enough data', 'weak evidence']),
        nature: Type.Enum(['cost', 'moved', 'load', 'none']),
        basis: nullable(Type.Enum(['request', 'equal work', 'cores']), 'what the verdict is about'),
        change: nullable(CompareChange, 'of the whole, on that basis'),
        equalWork: nullable(CompareChange, 'against the functions that did not change'),
        cores: nullable(CompareChange, 'CPU per instance'),
        request: nullable(CompareChange, 'CPU per request'),
        requestKind: Type.Enum(['request', 'run'], {
          description: 'what is counted as requests; of recordings of a command, its runs',
        }),
        lead: nullable(
          Type.Object(
            { name: Type.String(), file: Type.String(), part: nullable(Type.Number(), 'part of the change in it') },
            strict,
          ),
          'the function that carries most of the change',
        ),
        counts: Type.Object(
          {
            regressed: Type.Integer(),
            improved: Type.Integer(),
            unchanged: Type.Integer(),
            'not enough data': Type.Integer(),
            moved: Type.Integer(),
            new: Type.Integer(),
            gone: Type.Integer(),
            'weak evidence': Type.Integer(),
          },
          strict,
        ),
        look: nullable(Type.Integer(), 'which of repeated looks this is'),
        past: Type.Integer({ description: 'past comparisons that the intervals know of' }),
        controls: Type.Integer({
          description:
            'units that stayed on the before side, whose change in the same time is taken off; they are in before, too',
        }),
        minEffect: Type.Number(),
        q: Type.Number(),
      },
      strict,
    ),
    functions: Type.Array(CompareFunction, {
      description: 'all functions of either side; findings first, then by the size of the change',
    }),
    mde: nullable(Type.Number(), 'smallest change of the whole that would have been found with probability 0.8'),
    assumptions: Type.Array(Type.String()),
    notTested: Type.Array(
      Type.Object({ reason: Type.String(), functions: Type.Integer(), samples: Type.Number() }, strict),
    ),
  },
  strict,
);
export type CompareAnswer = Static<typeof CompareAnswer>;
