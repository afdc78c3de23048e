import type { ProcessView } from './process.ts';

/** The series labels of a process, without `__name__`: who it is in the words of OpenTelemetry. */
export type SeriesLabels = Readonly<Record<string, string>>;

/**
 * Reads who a process is: environment, cgroup (container, systemd unit, Kubernetes pod), executable. Called once per
 * process and program, right after it is first seen, so that short-lived ones are caught; must be cheap and synchronous.
 *
 * `cgroupId` is what the kernel says (`bpf_get_current_cgroup_id`), 0n when not known yet. `parentLabels` is the object that
 * was answered for the parent process (not a copy): when the process is gone before it could be read, what it inherited
 * from its parent is taken from there. Equal identities are answered with the same object, so they compare by `===`.
 */
export interface IdentitySource {
  identify(process: ProcessView, cgroupId: bigint, parentLabels?: SeriesLabels): SeriesLabels;

  /**
   * The labels that profiles carry: those that `identify` answered (the object itself) and what had to be read meanwhile, the version. Resolves within
   * seconds, also where a file system hangs; never rejects.
   */
  complete(labels: SeriesLabels): Promise<SeriesLabels>;
}
