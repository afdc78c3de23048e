import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** So many that V8 has compiled for good what prices carts. */
const warmUpRequests = 12_000;
/**
 * V8 compiles a function that it takes into its callers once more with each of them, some ten thousand requests later. With the first two instances of one version cost the same
 * within sampling noise (2.3 % among five, of 4 %); without them the planted change was not there to be measured once that had happened (docs/statistics.md).
 */
const evenFlags = ['--no-turbo-inlining', '--no-maglev-inlining', '--hash-seed=1'];
const startFile = fileURLToPath(new URL('../../examples/shop/start.mjs', import.meta.url));

export interface ShopInstance {
  readonly service: string;
  readonly version: string;
  readonly pod: string;
}

/** A shop under load in PID, network and mount namespaces of its own, as on a host of its own; needs root. */
export interface NamespacedShop {
  stop(): Promise<void>;
}

export function startNamespacedShop(
  { service, version, pod }: ShopInstance,
  requestsPerSecond: number,
): NamespacedShop {
  // Its /tmp is its own, since the names of JIT code lie there by the PID of the namespace.
  // Where code and heap lie, and how tables are hashed (the third flag), is the same in all of them. While both were drawn at each start, instances of one version differed by 2 % for as
  // long as they lived; that this was the cause was not shown (docs/statistics.md).
  const script = `mount -t tmpfs none /tmp && ip link set lo up && exec setarch -R "$0" "$@"`;
  const who = [
    '--service',
    service,
    '--version',
    version,
    '--pod',
    pod,
    ...evenFlags.map((flag) => `--node-flag=${flag}`),
  ];
  const load = ['--rate', String(requestsPerSecond), '--warm-up', String(warmUpRequests)];
  const shop = [process.execPath, startFile, ...who, ...load];
  const unshare = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, ...shop];
  const child = spawn('unshare', unshare, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  return { stop: () => stop(child, exited) };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // Its child, the first process of the namespace, dies with it, and with that one the namespace.
  child.kill('SIGKILL');
  await exited;
}
