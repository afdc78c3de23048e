import { expect, test } from 'vitest';
import { pickVariables } from './environment.ts';
import { environmentFacts, noEnvironmentFacts } from './environment-facts.ts';
import { parseResourceAttributes } from './resource-attributes.ts';
import { workloadOfPod } from './workload.ts';

const environment = (...entries: string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(''));

test('only listed variables are read, whole names, the first of equals', () => {
  const variables = pickVariables(
    environment(
      'PATH=/bin',
      'MY_HOSTNAME=no',
      'NOTE=HOSTNAME=no',
      'AWS_SECRET_ACCESS_KEY=secret',
      'HOSTNAME=web-1',
      'HOSTNAME=web-2',
      'OTEL_SERVICE_NAME=',
      'OTEL_SERVICE_NAME_X=no',
    ),
  );
  expect(variables).toEqual({ HOSTNAME: 'web-1', OTEL_SERVICE_NAME: '' });
});

test('an environment without its last NUL, an empty one, and one of hostile size', () => {
  expect(pickVariables(Buffer.from('HOSTNAME=a'))).toEqual({ HOSTNAME: 'a' });
  expect(pickVariables(Buffer.alloc(0))).toEqual({});
  expect(pickVariables(environment(`HOSTNAME=${'x'.repeat(40_000)}`, 'POD_NAME=p'))).toEqual({ POD_NAME: 'p' });
  expect(pickVariables(Buffer.from('xHOSTNAME='.repeat(25_000)))).toEqual({});
});

test('resource attributes are percent-decoded, and one that cannot be is left out alone', () => {
  const attributes = parseResourceAttributes(
    ' service.name = api ,service.version=1.2%2C3%20b%C3%A9ta,bad=100%,=x,novalue,service.name=second,a=b=c,empty=',
  );
  expect([...attributes]).toEqual([
    ['service.name', 'api'],
    ['service.version', '1.2,3 béta'],
    ['a', 'b=c'],
    ['empty', ''],
  ]);
});

test('resource attributes of hostile size are read to a bound', () => {
  expect(parseResourceAttributes(Array.from({ length: 10_000 }, (_, i) => `k${i}=v`).join(',')).size).toBe(128);
  expect(parseResourceAttributes(`k=${'v'.repeat(10_000_000)}`).get('k')?.length).toBe(16_382);
});

test('OTEL_SERVICE_NAME comes before service.name, new names before old ones', () => {
  const facts = environmentFacts({
    OTEL_SERVICE_NAME: 'api',
    OTEL_RESOURCE_ATTRIBUTES:
      'service.name=other,service.version=v2,deployment.environment=old,deployment.environment.name=prod,' +
      'container.image.tags=1.2%2Clatest,k8s.namespace.name=shop,k8s.pod.name=api-0',
  });
  expect(facts).toEqual({
    ...noEnvironmentFacts,
    serviceName: 'api',
    serviceVersion: 'v2',
    deploymentEnvironmentName: 'prod',
    containerImageTag: '1.2',
    namespaceName: 'shop',
    podName: 'api-0',
  });
});

test('values become one line of at most 256 characters', () => {
  const facts = environmentFacts({ OTEL_SERVICE_NAME: ` a\n\u0000b\t ${'x'.repeat(1000)}` });
  expect(facts.serviceName).toMatch(/^a b {2}x+$/);
  expect(facts.serviceName.length).toBe(256);
  expect(environmentFacts({ OTEL_SERVICE_NAME: ' \n ' }).serviceName).toBe('');
});

test('POD_NAME counts in a cluster only', () => {
  expect(environmentFacts({ POD_NAME: 'p', POD_NAMESPACE: 'n' })).toMatchObject({ podName: '', namespaceName: '' });
  expect(environmentFacts({ POD_NAME: 'p', POD_NAMESPACE: 'n', KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toMatchObject({
    podName: 'p',
    namespaceName: 'n',
  });
});

test.each([
  ['api-7d9c5b9f4d-x2k8p', 'api'],
  ['checkout-api-6c54bd5869-zz2vb', 'checkout-api'],
  ['node-exporter-4zkxq', 'node-exporter'],
  ['backup-28374650-x2k8p', 'backup'],
  ['postgres-0', 'postgres'],
  ['etcd', 'etcd'],
  ['web-server', 'web-server'],
  ['-x2k8p', '-x2k8p'],
])('pod %s is of %s', (pod, workload) => {
  expect(workloadOfPod(pod)).toBe(workload);
});

test('a hostile pod name takes no time', () => {
  const beganMs = performance.now();
  workloadOfPod('b-'.repeat(126));
  workloadOfPod('b-'.repeat(1_000_000));
  expect(performance.now() - beganMs).toBeLessThan(100);
});
