// Commands in another root file system, with /proc, /sys and /dev as this machine has them. Each command gets a mount
// namespace of its own: its mounts end with its last process, however it ends, so there is nothing to clean up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../setup/run.mjs';

const enter = `set -e
root=$1; user=$2; shift 2
# A mount of its own, as the root of a machine is: without it nobody in there could make a mount namespace.
mount --bind "$root" "$root"
for dir in proc sys dev; do
  mkdir -p "$root/$dir"
  mount --rbind "/$dir" "$root/$dir"
done
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
exec chroot --userspec="$user" "$root" "$@"`;

const cleanEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/**
 * Starts a command in a root. Nothing of this process's environment goes in but `env`.
 * @param {string} root
 * @param {readonly string[]} command
 * @param {{ env?: Record<string, string>, user?: string, stdio?: import('node:child_process').StdioOptions }} [options]
 *   `user` as NAME:GROUP of that root or as numbers
 */
export function spawnInRoot(root, command, { env = {}, user = '0:0', stdio = 'inherit' } = {}) {
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', enter, 'sh', root, user, ...command];
  return spawn('unshare', args, { env: { ...cleanEnv, ...env }, stdio, detached: true });
}

/** Runs a command in a root to its end; throws SetupError when it fails. */
export async function runInRoot(root, command, options) {
  const child = spawnInRoot(root, command, options);
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new SetupError(`\`${command.join(' ')}\` failed in ${root} (${signal ?? `exit ${code}`})`);
}

/** Ids of the processes whose root is `root`: only what was started in it can be among them. */
export function processesIn(root) {
  return readdirSync('/proc').filter((name) => {
    if (!/^[0-9]+$/u.test(name)) return false;
    try {
      return readlinkSync(`/proc/${name}/root`) === root;
    } catch (error) {
      // Ended meanwhile (ENOENT, ESRCH), or a thread group that is just ending (EACCES).
      if (['ENOENT', 'ESRCH', 'EACCES'].includes(error.code)) return false;
      throw error;
    }
  });
}

/** @param {string} root @param {NodeJS.Signals} signal */
function signalProcessesIn(root, signal) {
  const processes = processesIn(root);
  for (const pid of processes) {
    try {
      process.kill(Number(pid), signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
  return processes.length;
}

/** Ends everything that still runs in a root: asks once, and kills what is left after `timeoutMs`. */
export async function endProcessesIn(root, timeoutMs = 10_000) {
  const deadline = Date.now() + timeoutMs;
  signalProcessesIn(root, 'SIGTERM');
  while (processesIn(root).length > 0 && Date.now() < deadline) await sleep(50);
  while (signalProcessesIn(root, 'SIGKILL') > 0) await sleep(50);
}

/**
 * Asks what `spawnInRoot` started to end, as a terminal does: its whole process group. Resolves when nothing runs in the
 * root any more: npm ends before what it has started. Answers whether that was so within `timeoutMs`.
 */
export async function stopInRoot(root, child, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM');
  while (processesIn(root).length > 0) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}
