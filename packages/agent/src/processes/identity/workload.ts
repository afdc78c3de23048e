/** The alphabet of the random parts of Kubernetes' names (k8s.io/apimachinery, util/rand): no vowels, no look-alikes. */
const random = '[bcdfghjklmnpqrstvwxz2456789]';

const patterns = [
  // Deployment: name, hash of the pod template, random.
  new RegExp(`^(.+)-${random}{5,10}-${random}{5}$`),
  // CronJob: name, time of the run in minutes, random.
  new RegExp(`^(.+)-[0-9]{8,11}-${random}{5}$`),
  // DaemonSet and Job: name, random.
  new RegExp(`^(.+)-${random}{5}$`),
  // StatefulSet: name, number.
  /^(.+)-[0-9]{1,5}$/,
];

/** The name of what made a pod, told from the pod's name: `api-7d9c5b9f4-x2k8p` is of `api`. The pod's own name where no rule fits. */
export function workloadOfPod(podName: string): string {
  if (podName.length > 253) return podName;
  for (const pattern of patterns) {
    const workload = pattern.exec(podName)?.[1];
    if (workload !== undefined) return workload;
  }
  return podName;
}
