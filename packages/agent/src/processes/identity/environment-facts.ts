import type { Variables } from './environment.ts';
import { labelValue } from './label-value.ts';
import { parseResourceAttributes } from './resource-attributes.ts';

/** What an environment tells, as values of labels; '' where it tells nothing. */
export interface EnvironmentFacts {
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly deploymentEnvironmentName: string;
  readonly containerId: string;
  readonly containerImageTag: string;
  readonly namespaceName: string;
  readonly podName: string;
  /** Set by container engines; on a host, by some shells. */
  readonly hostName: string;
  /** Kubernetes tells every container of a cluster where the API server is. */
  readonly isInCluster: boolean;
}

export const noEnvironmentFacts: EnvironmentFacts = environmentFacts({});

/**
 * POD_NAME and POD_NAMESPACE are what manifests commonly call the downward API's fields; they count only inside a cluster.
 *
 * Attribute names: OpenTelemetry's semantic conventions 1.27 and, behind them, the names that were before.
 */
export function environmentFacts(variables: Variables): EnvironmentFacts {
  const attributes = parseResourceAttributes(variables.OTEL_RESOURCE_ATTRIBUTES ?? '');
  const first = (...values: (string | undefined)[]) =>
    values.map((value) => labelValue(value ?? '')).find((value) => value !== '') ?? '';
  const isInCluster = variables.KUBERNETES_SERVICE_HOST !== undefined;
  return {
    serviceName: first(variables.OTEL_SERVICE_NAME, attributes.get('service.name')),
    serviceVersion: first(attributes.get('service.version')),
    deploymentEnvironmentName: first(
      attributes.get('deployment.environment.name'),
      attributes.get('deployment.environment'),
    ),
    containerId: first(attributes.get('container.id')),
    containerImageTag: first(
      attributes.get('container.image.tags')?.split(',')[0],
      attributes.get('container.image.tag'),
    ),
    namespaceName: first(attributes.get('k8s.namespace.name'), isInCluster ? variables.POD_NAMESPACE : ''),
    podName: first(attributes.get('k8s.pod.name'), isInCluster ? variables.POD_NAME : ''),
    hostName: first(variables.HOSTNAME),
    isInCluster,
  };
}
