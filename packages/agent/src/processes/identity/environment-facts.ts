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
 * `resource`: attributes that the process has published itself; its SDK has made them of the environment and of what it was told otherwise, so they go first.
 *
 * Attribute names: OpenTelemetry's semantic conventions 1.27 and, behind them, the names that were before.
 */
export function environmentFacts(
  variables: Variables,
  resource: ReadonlyMap<string, string> = new Map(),
): EnvironmentFacts {
  const attributes = new Map([...parseResourceAttributes(variables.OTEL_RESOURCE_ATTRIBUTES ?? ''), ...resource]);
  const first = (...values: (string | undefined)[]) =>
    values.map((value) => labelValue(value ?? '')).find((value) => value !== '') ?? '';
  const isInCluster = variables.KUBERNETES_SERVICE_HOST !== undefined;
  return {
    serviceName: first(
      givenName(resource.get('service.name')),
      variables.OTEL_SERVICE_NAME,
      givenName(attributes.get('service.name')),
    ),
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

/** SDKs call what nobody has given a name `unknown_service:node`: the name of its container or program tells more. */
function givenName(name: string | undefined): string | undefined {
  return name?.startsWith('unknown_service') === true ? undefined : name;
}
