// `npm run test:kernels`: the agent under Debian's kernels in an emulated machine: each boots with Node.js, the repository's
// agent and a workload, records for five seconds, and must name the workload's functions down to the last of thirty.
//
//   node scripts/test-kernels.mjs [PACKAGE...]
//
// Without arguments: what this machine's apt has as the stable kernel, the one for clouds and, if it is offered, 5.10. The
// packages are unpacked, not installed. Software emulation: a minute or two a kernel.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeInitramfs } from '../test/kernels/initramfs.mjs';
import { cacheDir } from './debian/base-root.mjs';
import { SetupError, run, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const bootLimitMs = 15 * 60_000;
const memoryMb = 2048;
/** Most of the workload's samples must be whole; the rest is its start, and what the emulated clock interrupts in between. */
const leastNamed = 50;

/** The kernel packages to test: what the names for "the newest kernel" stand for here. */
function kernelPackages() {
  const newest = ['linux-image-cloud-amd64', 'linux-image-amd64'].flatMap((name) =>
    [...run('apt-cache', ['depends', '--important', name]).matchAll(/Depends: (linux-image-[\w.-]+)/gu)].map(
      ([, found]) => found,
    ),
  );
  const old = run('apt-cache', ['search', '--names-only', '^linux-image-5\\.10\\.0-[0-9]+-(cloud-)?amd64$'])
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((name) => name !== '');
  if (newest.length === 0) throw new SetupError('apt offers no linux-image-amd64 here; run: apt-get update');
  return [...newest, ...old.slice(-1)];
}

/** Path of the kernel of a package, downloaded and unpacked once. */
function kernelOf(name) {
  const dir = join(cacheDir, 'kernels', name);
  const unpacked = join(dir, 'boot');
  if (!existsSync(unpacked)) {
    const work = join(cacheDir, 'kernels', 'download');
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', name], { cwd: work });
    const [deb] = readdirSync(work).filter((file) => file.endsWith('.deb'));
    if (deb === undefined) throw new SetupError(`apt-get download ${name} left no package`);
    mkdirSync(dir, { recursive: true });
    // The modules stay behind: nothing here needs them.
    run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ./boot', 'sh', join(work, deb), dir]);
    rmSync(work, { recursive: true });
  }
  const image = readdirSync(unpacked).find((file) => file.startsWith('vmlinuz-'));
  if (image === undefined) throw new SetupError(`${name} has no vmlinuz`);
  return join(unpacked, image);
}

/** Boots and returns the lines for the host, without their prefix. */
async function boot(kernel, initramfs) {
  const append = 'console=ttyS0 panic=-1 quiet rdinit=/init';
  const machine = ['-accel', 'tcg', '-cpu', 'max,pku=off', '-smp', '2', '-m', String(memoryMb), '-no-reboot'];
  const serial = ['-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-nic', 'none'];
  const args = [...machine, ...serial, '-kernel', kernel, '-initrd', initramfs, '-append', append];
  const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), bootLimitMs);
  const lines = [];
  const all = [];
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    all.push(line);
    const found = /kernel-test: (.*)/u.exec(line)?.[1];
    if (found === undefined) continue;
    lines.push(found);
    console.log(`   ${found}`);
  }
  await exited;
  clearTimeout(timer);
  if (!lines.some((line) => line.startsWith('over'))) {
    console.log(all.slice(-40).join('\n'));
    lines.push('not over');
  }
  return lines;
}

/** What is wrong, one line each. */
function faults(lines) {
  const number = (name) => Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? -1);
  return [
    ...(lines.includes('not over') ? ['the machine did not come to its end'] : []),
    ...(number('exit') === 0 ? [] : [`everflame record ended with ${number('exit')}`]),
    ...(number('named') >= leastNamed ? [] : [`${number('named')} samples of the workload are whole`]),
    ...(number('kernel') > 0 ? [] : ['no sample has a kernel frame']),
    ...lines.filter((line) => line.startsWith('dmesg ') || /refused|Error/u.test(line)),
  ];
}

await setUp(async () => {
  ensureWorkspace();
  const missing = ensureSystem('kernels');
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
  const names = process.argv.length > 2 ? process.argv.slice(2) : kernelPackages();
  const dir = mkdtempSync(join(tmpdir(), 'everflame-kernels-'));
  let failed = 0;
  try {
    mkdirSync(join(dir, 'root'));
    const initramfs = join(dir, 'initramfs');
    makeInitramfs(join(dir, 'root'), initramfs);
    for (const name of names) {
      console.log(`-- ${name}`);
      const started = performance.now();
      const wrong = faults(await boot(kernelOf(name), initramfs));
      for (const line of wrong) console.log(`   FAULT: ${line}`);
      if (wrong.length > 0) failed++;
      console.log(
        `-- ${name}: ${wrong.length === 0 ? 'passed' : 'failed'} in ${((performance.now() - started) / 1000).toFixed(0)} s`,
      );
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  if (failed > 0) throw new SetupError(`${failed} of ${names.length} kernels failed`);
  console.log(`${names.length} kernels passed`);
});
