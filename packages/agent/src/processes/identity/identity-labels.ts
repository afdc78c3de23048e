import type { SeriesLabels } from '../identity.ts';
import { type CgroupFacts, serviceOfUnit } from './cgroup-facts.ts';
import type { EnvironmentFacts } from './environment-facts.ts';
import { labelValue } from './label-value.ts';
import { workloadOfPod } from './workload.ts';

/** How much of a container's id names it, as `docker ps` does. */
const shortIdLength = 12;

/** What is empty is left out: an absent label and an empty one are the same to a selector. */
export function identityLabels(
  origin: { readonly environment: EnvironmentFacts; readonly cgroup: CgroupFacts },
  executableName: string,
  hostName: string,
): SeriesLabels {
  const { environment, cgroup } = origin;
  const containerId = cgroup.containerId === '' ? environment.containerId : cgroup.containerId;
  const podName = podNameOf(environment, cgroup);
  const executable = labelValue(executableName);
  const service =
    environment.serviceName ||
    (containerId === '' && podName === '' ? '' : serviceOfContainer(containerId, podName, environment, hostName)) ||
    labelValue(serviceOfUnit(cgroup.systemdUnit)) ||
    executable ||
    'unknown';
  const labels = {
    service_name: service,
    service_version: environment.serviceVersion,
    deployment_environment_name: environment.deploymentEnvironmentName,
    host_name: labelValue(hostName),
    process_executable_name: executable,
    container_id: containerId,
    container_image_tag: environment.containerImageTag,
    systemd_unit: labelValue(cgroup.systemdUnit),
    k8s_namespace_name: environment.namespaceName,
    k8s_pod_name: podName,
  };
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

/**
 * Kernel threads are one service, and one series for each kind of work: `kworker/3:1-events` and its hundred likes are
 * `[kworker]`. Their full names are in the sample label `thread_name`.
 */
export function kernelLabels(name: string, hostName: string): SeriesLabels {
  const kind = name
    .replace(/^\[/, '')
    .replace(/\]$/, '')
    .replace(/[/:].*$/s, '');
  return {
    service_name: 'kernel',
    host_name: labelValue(hostName),
    process_executable_name: `[${labelValue(kind)}]`,
  };
}

/** In a pod that does not use the host's network, HOSTNAME is the pod's name. */
function podNameOf(environment: EnvironmentFacts, cgroup: CgroupFacts): string {
  if (environment.podName !== '') return environment.podName;
  return cgroup.isPod && environment.isInCluster ? environment.hostName : '';
}

/** The workload that made the pod; else the name that was given to the container as its host name; else its short id. */
function serviceOfContainer(
  containerId: string,
  podName: string,
  environment: EnvironmentFacts,
  hostName: string,
): string {
  if (podName !== '') return workloadOfPod(podName);
  const given = environment.hostName;
  const isOwnName =
    given !== '' && given !== hostName && !(given.length >= shortIdLength && containerId.startsWith(given));
  return isOwnName ? given : containerId.slice(0, shortIdLength);
}
