import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** So many that V8 has compiled for good what prices carts and all that leads to it. */
const warmUpRequests = 80_000;
const startFile = fileURLToPath(new URL('../../examples/shop/start.mjs', import.meta.url));

/** A shop under load in PID, network and mount namespaces of its own, as on a host of its own; needs root. */
export interface NamespacedShop {
  readonly pod: string;
  readonly version: string;
  stop(): Promise<void>;
}

export function startNamespacedShop(version: string, pod: string, requestsPerSecond: number): NamespacedShop {
  // Its /tmp is its own, since the names of JIT code lie there by the PID of the namespace.
  const script = `mount -t tmpfs none /tmp && ip link set lo up && exec "$0" "$@"`;
  const who = ['--version', version, '--pod', pod];
  const load = ['--rate', String(requestsPerSecond), '--warm-up', String(warmUpRequests)];
  const shop = [process.execPath, startFile, ...who, ...load];
  const unshare = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, ...shop];
  const child = spawn('unshare', unshare, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  return { pod, version, stop: () => stop(child, exited) };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // Its child, the first process of the namespace, dies with it, and with that one the namespace.
  child.kill('SIGKILL');
  await exited;
}
