/**
 * The shapes of the HTTP API, once: the server validates with them and makes its OpenAPI document from them; the page and
 * the CLI take their types from them. 64-bit quantities travel as decimal strings, since a JSON number holds 53 bits.
 */
import { type Static, Type } from 'typebox';
import { column, Int64, Labels, nullable, SelectorQuery, SidesQuery, strict, UnixMs } from './shapes.ts';

export * from './compare.ts';
export * from './deployments.ts';
export * from './findings.ts';
export { Int64, RangeQuery, SelectorQuery } from './shapes.ts';

/** RFC 9457. `code` is stable; `detail` says what is wrong and what to do. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    field: Type.Optional(Type.String({ description: 'the parameter or the profile field at fault' })),
  },
  strict,
);
export type Problem = Static<typeof Problem>;

const filter = (description: string) => Type.Optional(Type.String({ description, maxLength: 1000 }));
/** The filters of `go tool pprof`, by their names and with their meaning there. Regular expressions are RE2's. */
export const FilterQuery = {
  focus: filter('regular expression: only samples with a frame whose function, file or mapping matches'),
  ignore: filter('regular expression: no samples with a frame that matches'),
  hide: filter('regular expression: without the frames that match'),
  show: filter('regular expression: without the frames that do not match'),
  show_from: filter('regular expression: without the frames above the outermost match; samples without one go'),
  tagfocus: filter(
    'only samples whose labels match: key=regex, or regex against key:value (several, apart by commas), or a range of a numeric label, 1mb:2mb',
  ),
  tagignore: filter('no samples whose labels match, as tagfocus'),
  tagshow: filter('regular expression: without the labels whose name does not match'),
  taghide: filter('regular expression: without the labels whose name matches'),
};
/** Routes that merge profiles. */
export const ProfileQuery = { ...SelectorQuery, ...FilterQuery };
/** `by` and `group_by` name one label each. */
export const QueryRangeQuery = {
  ...ProfileQuery,
  step: Type.Optional(
    Type.String({
      description: 'length of a step: 10s, 5m, 1h, or milliseconds. Default: about 120 steps, at least 10s',
    }),
  ),
  by: Type.Optional(
    Type.String({
      description:
        'label: one series for each of its values; or "function": one for each of the top functions and the rest',
    }),
  ),
  top: Type.Optional(Type.String({ description: 'with by=function: how many functions, 1 to 100. Default: 10' })),
  function: Type.Optional(Type.String({ description: 'value of this function alone, by its exact name' })),
  value: Type.Optional(
    Type.String({ description: 'of the function: total or self. Default: total; with by=function self' }),
  ),
};
export const FlamegraphQuery = {
  ...ProfileQuery,
  group_by: Type.Optional(Type.String({ description: 'label whose values are the first level of the tree' })),
  granularity: Type.Optional(
    Type.String({
      description:
        'functions, or lines: each line of a function is a frame of its own, "FUNCTION FILE:LINE". Default functions',
    }),
  ),
  max_depth: Type.Optional(Type.String({ description: 'levels below the first node' })),
  max_nodes: Type.Optional(
    Type.String({ description: 'the nodes with the greatest totals; remainders come on top, at most one for each' }),
  ),
  min_value: Type.Optional(Type.String({ description: 'nodes with a smaller total are left out' })),
  node: Type.Optional(Type.String({ description: 'the tree below the node with this path id, 16 hexadecimal digits' })),
  path: Type.Optional(
    Type.String({ description: 'the tree below the node with this path of names, a JSON array: ["main","parse"]' }),
  ),
};
/** Each side is `query`, `from`, `until` unless it says otherwise. */
export const DiffQuery = {
  ...ProfileQuery,
  ...SidesQuery,
};

export const ProfileType = Type.Object(
  {
    id: Type.String({ description: 'name:sample_type:sample_unit:period_type:period_unit' }),
    name: Type.String(),
    sampleType: Type.String(),
    sampleUnit: Type.String(),
    periodType: Type.String(),
    periodUnit: Type.String(),
  },
  strict,
);
export type ProfileType = Static<typeof ProfileType>;
export const ProfileTypesAnswer = Type.Object({ profileTypes: Type.Array(ProfileType) }, strict);
export type ProfileTypesAnswer = Static<typeof ProfileTypesAnswer>;

export const LabelNamesAnswer = Type.Object(
  {
    names: Type.Array(Type.String()),
    sampleNames: Type.Array(Type.String({ description: 'labels of samples, not of series' })),
  },
  strict,
);
export type LabelNamesAnswer = Static<typeof LabelNamesAnswer>;
export const LabelValuesAnswer = Type.Object({ values: Type.Array(Type.String()) }, strict);
export type LabelValuesAnswer = Static<typeof LabelValuesAnswer>;
export const SeriesAnswer = Type.Object(
  { series: Type.Array(Type.Object({ profileType: Type.String(), labels: Labels }, strict)) },
  strict,
);
export type SeriesAnswer = Static<typeof SeriesAnswer>;

export const QueryRangeAnswer = Type.Object(
  {
    profileType: Type.String(),
    unit: Type.String({ description: 'unit of the values; a CPU value in nanoseconds ÷ (stepMs × 1e6) is cores' }),
    from: UnixMs,
    until: UnixMs,
    stepMs: Type.Integer(),
    series: Type.Array(
      Type.Object(
        {
          labels: Labels,
          times: column(UnixMs, 'start of each step that has data; a step without data is left out (a gap)'),
          values: column(Int64, 'sum over the step'),
          samples: column(Type.Number(), 'sample count over the step'),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type QueryRangeAnswer = Static<typeof QueryRangeAnswer>;

export const FrameKind = Type.Union([
  Type.Literal('root'),
  Type.Literal('group'),
  Type.Literal('kernel'),
  Type.Literal('native'),
  Type.Literal('jit'),
  Type.Literal('unsymbolized'),
  Type.Literal('runtime'),
  Type.Literal('interpreted'),
  Type.Literal('inlined'),
]);
export type FrameKind = Static<typeof FrameKind>;

/** Frames are interned: a node names its frame by index. Frame 0 is the root. */
export const FrameColumns = Type.Object(
  {
    name: column(Type.String(), 'function, demangled'),
    file: column(Type.String(), 'source file or empty'),
    binary: column(Type.String(), 'path of the mapping or empty'),
    kind: column(FrameKind, 'what the frame is'),
  },
  strict,
);
export type FrameColumns = Static<typeof FrameColumns>;

const treeShape = {
  parent: column(
    Type.Integer({ minimum: 0 }),
    'index of the parent; node 0 is the root, its parent is itself; parents precede children',
  ),
  frame: column(Type.Integer({ minimum: 0 }), 'index into frames'),
};
const total = {
  total: column(Int64, 'value of the samples that pass through this node'),
  self: column(Int64, 'value of the samples whose leaf is this node'),
  samples: column(Type.Number(), 'sample count behind total'),
  selfSamples: column(Type.Number(), 'sample count behind self'),
};
const answerHead = {
  profileType: Type.String(),
  unit: Type.String(),
  from: UnixMs,
  until: UnixMs,
  profiles: Type.Integer({ description: 'how many stored profiles were merged' }),
};

export const FlamegraphAnswer = Type.Object(
  {
    ...answerHead,
    frames: FrameColumns,
    nodes: Type.Object(
      {
        ...treeShape,
        ...total,
        rest: Type.Optional(
          column(
            Type.Integer({ minimum: 0 }),
            'where limits or a node were asked for: 0, or how many children of its parent this row, named (more), stands for',
          ),
        ),
      },
      strict,
    ),
  },
  strict,
);
export type FlamegraphAnswer = Static<typeof FlamegraphAnswer>;

const Side = Type.Object(
  { total: Int64, samples: Type.Number(), profiles: Type.Integer(), from: UnixMs, until: UnixMs, query: Type.String() },
  strict,
);
const sideColumns = Type.Object(total, strict);
export const DiffAnswer = Type.Object(
  {
    profileType: Type.String(),
    unit: Type.String(),
    before: Side,
    after: Side,
    frames: FrameColumns,
    /** Both sides whole: a node that only one side has is there with zeros on the other. */
    nodes: Type.Object({ ...treeShape, before: sideColumns, after: sideColumns }, strict),
    functions: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          file: Type.String(),
          before: Type.Object({ self: Int64, total: Int64, samples: Type.Number() }, strict),
          after: Type.Object({ self: Int64, total: Int64, samples: Type.Number() }, strict),
          /** Self value ÷ total of its side; null when that side is empty. */
          shareBefore: Type.Union([Type.Number(), Type.Null()]),
          shareAfter: Type.Union([Type.Number(), Type.Null()]),
          presence: Type.Union([Type.Literal('both'), Type.Literal('new'), Type.Literal('gone')]),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type DiffAnswer = Static<typeof DiffAnswer>;

export const TopRow = Type.Object(
  {
    name: Type.String(),
    file: Type.String(),
    binary: Type.String(),
    self: Int64,
    total: Int64,
    samples: Type.Number({ description: 'sample count behind total' }),
    selfSamples: Type.Number(),
  },
  strict,
);
export type TopRow = Static<typeof TopRow>;
export const TopAnswer = Type.Object(
  { ...answerHead, total: Int64, samples: Type.Number(), functions: Type.Array(TopRow) },
  strict,
);
export type TopAnswer = Static<typeof TopAnswer>;

export const CallersAnswer = Type.Object(
  { ...answerHead, function: TopRow, callers: Type.Array(TopRow), callees: Type.Array(TopRow) },
  strict,
);
export type CallersAnswer = Static<typeof CallersAnswer>;

/** What each line of one function costs. */
export const LinesAnswer = Type.Object(
  {
    ...answerHead,
    function: Type.Object(
      { name: Type.String(), self: Int64, total: Int64, samples: Type.Number(), selfSamples: Type.Number() },
      strict,
    ),
    lines: Type.Array(
      Type.Object(
        {
          file: Type.String(),
          line: Type.String({ description: 'decimal; 0: the profile does not say' }),
          binary: Type.String(),
          buildId: Type.String({ description: 'empty where the profile does not say' }),
          self: Int64,
          total: Int64,
          samples: Type.Number({ description: 'sample count behind total' }),
          selfSamples: Type.Number(),
        },
        strict,
      ),
      { description: 'by file, then line, then build' },
    ),
  },
  strict,
);
export type LinesAnswer = Static<typeof LinesAnswer>;

/** Files that code lies in. */
export const BinariesAnswer = Type.Object(
  {
    ...answerHead,
    binaries: Type.Array(Type.Object({ file: Type.String(), buildId: Type.String() }, strict), {
      description: 'each build that samples pass through, by file and build ID; without those that have none',
    }),
  },
  strict,
);
export type BinariesAnswer = Static<typeof BinariesAnswer>;

/** Lines of a source file. */
export const SourceQuery = {
  file: Type.Optional(Type.String({ description: 'name as /api/v1/lines shows it' })),
  first: Type.Optional(Type.String({ description: 'first line. Default 1' })),
  last: Type.Optional(Type.String({ description: 'last line; at most 2,000 are answered' })),
};
export const SourceAnswer = Type.Object(
  {
    file: Type.String(),
    first: Type.Integer({ description: 'number of the first line, from 1' }),
    lines: nullable(
      Type.Array(Type.String()),
      'cut to 400 characters; null where the server may not or cannot read the file',
    ),
    lineCount: Type.Integer({ description: 'of the whole file' }),
    reason: nullable(
      Type.Union([
        Type.Literal('off'),
        Type.Literal('elsewhere'),
        Type.Literal('no_source'),
        Type.Literal('not_found'),
        Type.Literal('too_large'),
        Type.Literal('not_text'),
      ]),
      'why there are no lines. off: the server was started without --source-root',
    ),
    detail: Type.String({ description: 'the reason in words' }),
  },
  strict,
);
export type SourceAnswer = Static<typeof SourceAnswer>;

/** What the overview shows of one service. */
export const ServiceSummary = Type.Object(
  {
    service: Type.String(),
    versions: Type.Array(Type.String(), { description: 'newest first' }),
    hosts: Type.Integer(),
    value: Int64,
    samples: Type.Number(),
    times: column(UnixMs, 'start of each step that has data'),
    values: column(Int64, 'sum over the step'),
    top: Type.Array(Type.Object({ name: Type.String(), self: Int64 }, strict), {
      description: 'the functions with the most self value',
    }),
  },
  strict,
);
export type ServiceSummary = Static<typeof ServiceSummary>;
export const ServicesAnswer = Type.Object(
  {
    profileType: Type.String(),
    unit: Type.String(),
    from: UnixMs,
    until: UnixMs,
    stepMs: Type.Integer(),
    services: Type.Array(ServiceSummary),
  },
  strict,
);
export type ServicesAnswer = Static<typeof ServicesAnswer>;

export const StatusAnswer = Type.Object(
  {
    version: Type.String(),
    startedAt: UnixMs,
    storage: Type.Object(
      {
        profiles: Type.Integer(),
        series: Type.Integer(),
        bytes: Type.Number(),
        oldest: Type.Union([UnixMs, Type.Null()]),
        newest: Type.Union([UnixMs, Type.Null()]),
        deleted: Type.Array(
          Type.Object(
            {
              cause: Type.Union([Type.Literal('age'), Type.Literal('selector'), Type.Literal('size')]),
              profiles: Type.Integer(),
              samples: Type.Number(),
              bytes: Type.Number(),
              until: UnixMs,
            },
            strict,
          ),
        ),
        damaged: Type.Array(
          Type.Object(
            { file: Type.String(), reason: Type.String(), from: UnixMs, until: UnixMs, profiles: Type.Integer() },
            strict,
          ),
        ),
      },
      strict,
    ),
    agents: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          hostName: Type.String(),
          version: Type.String(),
          kernel: Type.String(),
          architecture: Type.String(),
          startedAt: UnixMs,
          lastSeen: UnixMs,
          counters: Type.Array(Type.Object({ name: Type.String(), cause: Type.String(), total: Int64 }, strict)),
        },
        strict,
      ),
    ),
    /** Set by `up`: why this host is not profiled, in one line, and how to mend it. */
    notices: Type.Array(Type.String()),
  },
  strict,
);
export type StatusAnswer = Static<typeof StatusAnswer>;
