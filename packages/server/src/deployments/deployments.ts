import type { http } from '@everflame/protocols';
import { type Parameters, present } from '../query/parameters.ts';
import type { Mark, StorageReader } from '../storage/storage.ts';

/** Versions per service, seen in profiles or marked, the newest first. `service` and `version` narrow them. */
export async function answerDeployments(
  storage: StorageReader,
  parameters: Parameters,
): Promise<http.DeploymentsAnswer> {
  const deployments = new Map<string, http.Deployment>();
  for (const { service, version, environment, firstMs, lastMs, hosts, samples } of await storage.versions()) {
    deployments.set(keyOf({ service, version, environment }), {
      service,
      version,
      environment,
      firstSeen: firstMs,
      lastSeen: lastMs,
      hosts: [...hosts],
      samples,
      marks: [],
    });
  }
  for (const mark of await storage.marks()) {
    const { atMs: at, commit, url } = mark;
    const deployment = deployments.get(keyOf(mark)) ?? markedOnly(mark);
    deployments.set(keyOf(mark), { ...deployment, marks: [...deployment.marks, { at, commit, url }] });
  }
  const wanted = (name: 'service' | 'version') => (deployment: http.Deployment) =>
    (present(parameters, name) ?? deployment[name]) === deployment[name];
  return {
    deployments: [...deployments.values()]
      .filter(wanted('service'))
      .filter(wanted('version'))
      .sort((a, b) => startOf(b) - startOf(a)),
  };
}

function markedOnly({ service, version, environment }: Mark): http.Deployment {
  return { service, version, environment, firstSeen: null, lastSeen: null, hosts: [], samples: 0, marks: [] };
}

function keyOf({ service, version, environment }: Pick<Mark, 'service' | 'version' | 'environment'>): string {
  return JSON.stringify([service, version, environment]);
}

/** When it began: its first mark or its first profile. */
function startOf({ firstSeen, marks }: http.Deployment): number {
  return Math.min(firstSeen ?? Number.POSITIVE_INFINITY, ...marks.map(({ at }) => at));
}
