/** The shapes of /api/v1/findings and of what webhooks are sent. */
import { type Static, Type } from 'typebox';
import { nullable, strict, UnixMs } from './shapes.ts';

export const FindingsQuery = {
  state: Type.Optional(Type.String({ description: 'open, closed or all. Default open' })),
  service: Type.Optional(Type.String({ description: 'only this service' })),
  environment: Type.Optional(Type.String({ description: 'only this environment' })),
  kind: Type.Optional(Type.String({ description: 'deployment or over_time. Default both' })),
  limit: Type.Optional(Type.String({ description: 'at most so many, the newest. Default 200, at most 10000' })),
};

export const Finding = Type.Object(
  {
    id: Type.Integer(),
    kind: Type.Enum(['deployment', 'over_time'], {
      description: 'deployment: between two versions. over_time: without a deployment',
    }),
    state: Type.Enum(['open', 'closed']),
    closedReason: nullable(
      Type.Enum(['went_away', 'replaced']),
      'went_away: a later look no longer shows it. replaced: what it is about no longer runs, or its window is over',
    ),
    service: Type.String(),
    environment: Type.String(),
    before: nullable(Type.String(), 'version; null for over_time'),
    after: nullable(Type.String(), 'version; null for over_time'),
    function: Type.String({ description: 'empty: the service as a whole' }),
    file: Type.String(),
    verdict: Type.Enum(['regressed', 'improved', 'new', 'gone']),
    change: nullable(Type.Number(), 'relative: 0.3 is +30 %; null for what is new or gone'),
    openedChange: nullable(Type.Number(), 'change when it was opened; below half of it the finding has gone away'),
    interval: nullable(
      Type.Tuple([Type.Number(), nullable(Type.Number(), 'null: without bound')]),
      'of change, 95 % over all looks',
    ),
    part: nullable(Type.Number(), 'change as a part of the whole service'),
    q: nullable(Type.Number(), 'p with all functions accounted for'),
    samplesBefore: nullable(Type.Number(), 'null for over_time'),
    samplesAfter: nullable(Type.Number(), 'null for over_time'),
    units: nullable(Type.Integer(), 'hosts, pods or processes on the smaller side; null for over_time'),
    stack: Type.Array(Type.String(), { description: 'that carries the change, root first; empty when not known' }),
    others: Type.Integer({
      description: 'functions whose change is the same one: its callers, or what changed with it',
    }),
    look: Type.Integer({ description: 'which of the repeated looks has shown it last' }),
    sentence: Type.String(),
    at: Type.Number({
      description: 'Unix time in milliseconds of the change: start of the deployment, or change point',
    }),
    openedAt: UnixMs,
    updatedAt: UnixMs,
    closedAt: nullable(UnixMs, 'while it is closed'),
    link: Type.String({ description: 'path and query of the page that shows exactly this comparison' }),
  },
  strict,
);
export type Finding = Static<typeof Finding>;

export const FindingsAnswer = Type.Object(
  {
    findings: Type.Array(Finding, { description: 'the newest change first' }),
    /** What the server itself has done, so that "no findings" can be told from "nobody looked". */
    watch: Type.Object(
      {
        lastPassAt: nullable(UnixMs, 'end of the last pass over all services'),
        lastPassMs: nullable(Type.Number(), 'how long it took'),
        looks: Type.Integer({ description: 'comparisons since the store was made' }),
        failed: Type.Integer({ description: 'looks that failed since the server started; its log says why' }),
        webhooks: Type.Array(
          Type.Object(
            {
              name: Type.String({ description: 'kind and host; never the whole URL, which may be a secret' }),
              waiting: Type.Integer(),
              delivered: Type.Integer(),
              failedAttempts: Type.Integer(),
              dropped: Type.Integer({ description: 'given up, refused for good, or pushed out of a full queue' }),
            },
            strict,
          ),
        ),
      },
      strict,
    ),
  },
  strict,
);
export type FindingsAnswer = Static<typeof FindingsAnswer>;

/** What a webhook of the kind `json` is sent. */
export const WebhookEvent = Type.Object(
  {
    version: Type.Literal(1),
    event: Type.Enum(['opened', 'closed', 'reopened']),
    sentAt: UnixMs,
    url: Type.String({ description: 'of the page' }),
    finding: Finding,
  },
  strict,
);
export type WebhookEvent = Static<typeof WebhookEvent>;
