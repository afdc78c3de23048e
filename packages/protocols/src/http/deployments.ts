/** The shapes of /api/v1/deployments. */
import { type Static, Type } from 'typebox';
import { allVersionSources } from '../everflame/version-sources.ts';
import { nullable, strict, UnixMs } from './shapes.ts';

export const VersionSource = Type.Enum([...allVersionSources], {
  description:
    'where the version was read. mark: it was marked; reported: the process (OpenTelemetry) or who posted its profiles says it',
});
export type VersionSource = Static<typeof VersionSource>;

export const DeploymentPeriod = Type.Object(
  {
    from: UnixMs,
    until: Type.Number({ description: 'Unix time in milliseconds: end of its last samples' }),
    kind: Type.Enum(['first', 'rollout', 'rolling', 'canary', 'rollback', 'return'], {
      description:
        'rollout: at once. rolling: hosts moved over. canary: both were live and nothing moved for a quarter of an hour. rollback: an earlier version in the place of a later. return: a later one again',
    }),
    state: Type.Enum(['live', 'withdrawn', 'replaced', 'ended'], {
      description: 'withdrawn: what it should have replaced goes on without it',
    }),
    replaces: nullable(Type.String(), 'the version in whose place it came, or beside which it stands'),
    hosts: Type.Array(Type.String()),
  },
  strict,
);
export type DeploymentPeriod = Static<typeof DeploymentPeriod>;

export const Deployment = Type.Object(
  {
    service: Type.String(),
    version: Type.String(),
    environment: Type.String({ description: 'deployment_environment_name, or empty' }),
    source: VersionSource,
    sources: Type.Array(VersionSource),
    firstSeen: Type.Union([UnixMs, Type.Null()], { description: 'first sample; null when only marked' }),
    lastSeen: Type.Union([UnixMs, Type.Null()]),
    hosts: Type.Array(Type.String()),
    perHost: Type.Array(
      Type.Object({ host: Type.String(), firstSeen: UnixMs, lastSeen: UnixMs, samples: Type.Number() }, strict),
    ),
    instances: Type.Integer({ description: 'different hosts, pods and containers' }),
    samples: Type.Number(),
    cores: nullable(
      Type.Number(),
      'mean CPU in its last hour, in cores; null without CPU profiles or for an older one',
    ),
    precedence: Type.Integer({
      description:
        'place among the versions of its service and environment, from 1: semantic versions by precedence, others by time',
    }),
    periods: Type.Array(DeploymentPeriod, {
      description: 'times in which it was live without a break, the oldest first; a restart is no break',
    }),
    marks: Type.Array(Type.Object({ at: UnixMs, commit: Type.String(), url: Type.String() }, strict)),
  },
  strict,
);
export type Deployment = Static<typeof Deployment>;
export const DeploymentsAnswer = Type.Object({ deployments: Type.Array(Deployment) }, strict);
export type DeploymentsAnswer = Static<typeof DeploymentsAnswer>;
export const DeploymentMark = Type.Object(
  {
    service: Type.String({ minLength: 1, maxLength: 256 }),
    version: Type.String({ minLength: 1, maxLength: 256 }),
    environment: Type.Optional(Type.String({ maxLength: 256 })),
    at: Type.Optional(Type.String({ description: 'RFC 3339, Unix milliseconds or relative. Default now' })),
    commit: Type.Optional(Type.String({ maxLength: 256 })),
    url: Type.Optional(Type.String({ maxLength: 2048 })),
  },
  strict,
);
export type DeploymentMark = Static<typeof DeploymentMark>;
