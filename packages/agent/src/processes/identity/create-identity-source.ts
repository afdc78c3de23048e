import { readFileSync } from 'node:fs';
import type { LossCounters } from '../../health/counters.ts';
import type { IdentitySource, SeriesLabels } from '../identity.ts';
import type { ProcessView } from '../process.ts';
import { noTicket, ProgramVersions, type VersionTicket } from '../versions/program-versions.ts';
import type { FoundVersion } from '../versions/version.ts';
import { type CgroupFacts, factsOfCgroupPaths, noCgroupFacts, parseCgroupFile } from './cgroup-facts.ts';
import { CgroupTree } from './cgroup-tree.ts';
import { readEnvironment } from './environment.ts';
import { type EnvironmentFacts, environmentFacts, noEnvironmentFacts } from './environment-facts.ts';
import { identityLabels, kernelLabels } from './identity-labels.ts';
import { labelValue } from './label-value.ts';
import { StartTimeCheck } from './start-time.ts';

export interface IdentitySourceOptions {
  /** The label `host_name`. */
  readonly hostName: string;
  /** Where procfs is mounted. Default /proc. */
  readonly procRoot?: string;
  /** Takes what could not be read, under `reads_failed`. */
  readonly losses?: LossCounters;
  /** For tests: a clock in milliseconds. */
  readonly nowMs?: () => number;
}

/** Bounds of what is kept; the oldest go first. */
const maxCgroups = 10_000;
const maxIdentities = 20_000;

/**
 * Reads identities from /proc, at the cost of three small files per process (about 50 µs). Versions that no environment says are read
 * away from this thread, once per program (`ProgramVersions`).
 *
 * A process that is gone before it is read (those that live milliseconds mostly are) is counted under
 * `reads_failed`/`process_gone` and told from what is sure to hold for it:
 * - its cgroup: from the id in its sample, through the processes and directories that were seen with that id, else that
 *   of its parent, since a fork stays in its parent's cgroup;
 * - its environment: that of its parent when both are in the same container and unit, since a fork inherits it, else
 *   that of the first process that was read in its container or unit;
 * - its executable: from the process table, which has it from the kernel's records.
 *
 * So the short-lived children of a service are in the series in which they would be had they been read, unless they were
 * started with another environment than their parent's.
 */
export function createIdentitySource(options: IdentitySourceOptions): IdentitySource {
  return new ProcIdentitySource(options);
}

/** What labels were made from: what the children of a process inherit. */
interface Origin {
  readonly environment: EnvironmentFacts;
  readonly cgroup: CgroupFacts;
  readonly version: VersionTicket;
}

class ProcIdentitySource implements IdentitySource {
  readonly #hostName: string;
  readonly #procRoot: string;
  readonly #losses: LossCounters | undefined;
  readonly #tree: CgroupTree;
  readonly #startTimes: StartTimeCheck;
  readonly #cgroups = new Map<bigint, CgroupFacts>();
  readonly #environments = new Map<string, EnvironmentFacts>();
  readonly #identities = new Map<string, SeriesLabels>();
  readonly #origins = new WeakMap<SeriesLabels, Origin>();
  readonly #versions: ProgramVersions;

  constructor(options: IdentitySourceOptions) {
    this.#hostName = options.hostName;
    this.#procRoot = options.procRoot ?? '/proc';
    this.#losses = options.losses;
    this.#tree = new CgroupTree(this.#procRoot, options.nowMs ?? (() => performance.now()));
    this.#startTimes = new StartTimeCheck(this.#procRoot);
    const { losses, nowMs } = options;
    this.#versions = new ProgramVersions({ procRoot: this.#procRoot, losses, nowMs });
  }

  identify(process: ProcessView, cgroupId: bigint, parentLabels?: SeriesLabels): SeriesLabels {
    if (process.isKernelThread) {
      return this.#intern(kernelLabels(process.executableName, this.#hostName), noOrigin);
    }
    const parent = parentLabels === undefined ? undefined : this.#origins.get(parentLabels);
    const isThere = this.#startTimes.isSame(process.pid, process.startTimeNs);
    const cgroup = this.#cgroupOf(process, cgroupId, isThere) ?? parent?.cgroup ?? noCgroupFacts;
    const environment = this.#environmentOf(process, isThere, cgroup) ?? this.#inherited(cgroup, parent);
    const version = this.#versionOf(process, isThere, { environment, cgroup }, parent);
    const origin = { environment, cgroup, version };
    return this.#intern(identityLabels(origin, process.executableName, this.#hostName), origin);
  }

  async complete(labels: SeriesLabels): Promise<SeriesLabels> {
    const origin = this.#origins.get(labels);
    if (origin === undefined) return labels;
    const found = taggedVersion(origin.environment) ?? (await this.#versions.versionOf(origin.version));
    if (found === undefined) return labels;
    const version = labelValue(found.version);
    if (version === '') return labels;
    const whole = { ...labels, service_version: version, service_version_source: found.source };
    return this.#intern(whole, origin);
  }

  /**
   * A service is one version, whatever helpers it starts: what runs in the unit or container of its parent, or under the name that its parent was
   * given, has its parent's version. What the parent is a launcher of, and a newer build of the parent's program, is asked itself.
   */
  #versionOf(
    process: ProcessView,
    isThere: boolean,
    { environment, cgroup }: Omit<Origin, 'version'>,
    parent: Origin | undefined,
  ): VersionTicket {
    if (environment.serviceVersion !== '' || taggedVersion(environment) !== undefined) return noTicket;
    const containerId = cgroup.containerId || environment.containerId;
    const own = this.#versions.ticketOf(process, containerId, isThere);
    if (parent === undefined || parent.version.isLauncher) return own;
    const owner = ownerOf(cgroup);
    const isOfParent =
      owner === ownerOf(parent.cgroup) &&
      environment.serviceName === parent.environment.serviceName &&
      (owner !== '' || environment.serviceName !== '');
    const isOtherBuild = own.executableName !== '' && own.executableName === parent.version.executableName;
    return isOfParent && !isOtherBuild ? parent.version : own;
  }

  /** Undefined when neither the process nor its cgroup's id tells. */
  #cgroupOf(process: ProcessView, cgroupId: bigint, isThere: boolean): CgroupFacts | undefined {
    const known = this.#cgroups.get(cgroupId);
    if (known !== undefined) return known;
    const file = isThere ? this.#readCgroupFile(process.pid) : undefined;
    if (file !== undefined) {
      const facts = factsOfCgroupPaths(file.paths);
      // With v1 beside it, the unified hierarchy may hold every process in its root: then its id tells nothing. And the
      // process may have moved since its sample.
      const tells = file.unified !== undefined && file.unified !== '/' && cgroupId !== 0n;
      if (tells && this.#tree.isPathOf(file.unified, cgroupId)) keep(this.#cgroups, cgroupId, facts, maxCgroups);
      return facts;
    }
    const path = cgroupId === 0n ? undefined : this.#tree.pathOf(cgroupId);
    if (path === undefined || path === '/') return undefined;
    const facts = factsOfCgroupPaths([path]);
    keep(this.#cgroups, cgroupId, facts, maxCgroups);
    return facts;
  }

  #readCgroupFile(pid: number): ReturnType<typeof parseCgroupFile> | undefined {
    try {
      return parseCgroupFile(readFileSync(`${this.#procRoot}/${pid}/cgroup`, 'utf8'));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
      throw error;
    }
  }

  /** Undefined, and counted, when it cannot be read. */
  #environmentOf(process: ProcessView, isThere: boolean, cgroup: CgroupFacts): EnvironmentFacts | undefined {
    const reading = isThere ? readEnvironment(`${this.#procRoot}/${process.pid}`) : ({ kind: 'gone' } as const);
    switch (reading.kind) {
      case 'read': {
        const facts = environmentFacts(reading.variables, process.context?.resource);
        const key = ownerOf(cgroup);
        // An engine's own helper may be the first in a container, and knows nothing of it.
        const tells = Object.values(facts).some((value) => value !== '' && value !== false);
        if (key !== '' && tells && !this.#environments.has(key)) keep(this.#environments, key, facts, maxCgroups);
        return facts;
      }
      case 'gone':
        this.#losses?.add('reads_failed', 'process_gone');
        return undefined;
      case 'denied':
        this.#losses?.add('reads_failed', 'permission');
        return undefined;
    }
  }

  #inherited(cgroup: CgroupFacts, parent: Origin | undefined): EnvironmentFacts {
    const owner = ownerOf(cgroup);
    if (parent !== undefined && ownerOf(parent.cgroup) === owner) return parent.environment;
    return this.#environments.get(owner) ?? noEnvironmentFacts;
  }

  #intern(labels: SeriesLabels, origin: Origin): SeriesLabels {
    const key = JSON.stringify([labels, origin.environment, origin.cgroup, origin.version.key]);
    const known = this.#identities.get(key);
    if (known !== undefined) return known;
    Object.freeze(labels);
    keep(this.#identities, key, labels, maxIdentities);
    this.#origins.set(labels, origin);
    return labels;
  }
}

const noOrigin: Origin = { environment: noEnvironmentFacts, cgroup: noCgroupFacts, version: noTicket };

/** The tag of its image, where the process's environment tells it (OpenTelemetry's `container.image.tags`) and not its version. */
function taggedVersion({ serviceVersion, containerImageTag: version }: EnvironmentFacts): FoundVersion | undefined {
  const says = serviceVersion === '' && version !== '' && version !== 'latest';
  return says ? { version, source: 'image_tag' } : undefined;
}

/** Names the container and unit that a process belongs to; '' for those that belong to none. */
function ownerOf(cgroup: CgroupFacts): string {
  return cgroup.containerId === '' && cgroup.systemdUnit === '' ? '' : `${cgroup.containerId}\0${cgroup.systemdUnit}`;
}

/** A map in order of insertion, bounded. */
function keep<K, V>(map: Map<K, V>, key: K, value: V, maxSize: number): void {
  const [oldest] = map.size >= maxSize ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
