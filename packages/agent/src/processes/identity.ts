import type { ProcessView } from './process.ts';

/** The series labels of a process, without `__name__`: who it is in the words of OpenTelemetry. */
export type SeriesLabels = Readonly<Record<string, string>>;

/**
 * Reads who a process is: environment, cgroup (container, systemd unit, Kubernetes pod), executable. Called once per
 * process and program, right after it is first seen, so that short-lived ones are caught; must be cheap and synchronous.
 */
export interface IdentitySource {
  identify(process: ProcessView, cgroupId: bigint): SeriesLabels;
}
