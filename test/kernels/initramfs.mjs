// The root file system of a kernel under test: Node.js, the agent with its packages, libbpf, a workload, busybox.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { nodeBin, root as repository } from '../../scripts/setup/paths.mjs';
import { SetupError, run, which } from '../../scripts/setup/run.mjs';

/** What `everflame record` loads; the server is not among it. */
const packages = ['agent', 'binary', 'cli', 'compare', 'profile', 'protocols'];

/** Copies a file to the same path under `to`, with the links on the way to it. */
function copyWithLinks(path, to) {
  const real = realpathSync(path);
  mkdirSync(dirname(join(to, real)), { recursive: true });
  cpSync(real, join(to, real));
  if (real === path || existsSync(join(to, path))) return;
  mkdirSync(dirname(join(to, path)), { recursive: true });
  symlinkSync(real, join(to, path));
}

function copySharedLibraries(file, to) {
  for (const [, path] of execFileSync('ldd', [file], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/gu))
    copyWithLinks(path, to);
}

/** A package's dependencies as pnpm has laid them out: links into a store inside the repository. */
function copyDependencies(dir, to, seen) {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  // In the store, what a package depends on stands beside it.
  const inStore = dir.includes('/.pnpm/');
  const beside = inStore
    ? dir.slice(0, dir.lastIndexOf('/node_modules/') + '/node_modules'.length)
    : join(dir, 'node_modules');
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const link = join(beside, name);
    if (!existsSync(link)) continue;
    const real = realpathSync(link);
    const target = join(to, relative(repository, link));
    if (real !== link && !existsSync(target)) {
      mkdirSync(dirname(target), { recursive: true });
      symlinkSync(relative(dirname(link), real), target);
    }
    if (seen.has(real) || !real.includes('/.pnpm/')) continue;
    seen.add(real);
    cpSync(real, join(to, relative(repository, real)), { recursive: true });
    copyDependencies(real, to, seen);
  }
}

function copyRepository(to) {
  const seen = new Set();
  for (const name of ['package.json', 'bpf/build']) cpSync(join(repository, name), join(to, name), { recursive: true });
  for (const name of packages) {
    const dir = join(repository, 'packages', name);
    cpSync(join(dir, 'src'), join(to, 'packages', name, 'src'), { recursive: true });
    cpSync(join(dir, 'package.json'), join(to, 'packages', name, 'package.json'));
    copyDependencies(dir, to, seen);
  }
}

function libbpf() {
  const dirs = ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64'];
  const found = dirs.map((dir) => join(dir, 'libbpf.so.1')).find((path) => existsSync(path));
  if (found === undefined) throw new SetupError('libbpf.so.1 missing; run: apt-get install libbpf1');
  return found;
}

/** Makes the archive at `archive` from files put together in `dir`, which must be empty. Not compressed: unpacking is slow in emulation. */
export function makeInitramfs(dir, archive) {
  const busybox = which('busybox');
  if (busybox === null) throw new SetupError('busybox missing; run: apt-get install busybox-static');
  for (const name of ['bin', 'etc', 'tmp']) mkdirSync(join(dir, name), { recursive: true });
  cpSync(realpathSync(busybox), join(dir, 'bin/busybox'));
  cpSync(join(repository, 'test/kernels/init.sh'), join(dir, 'init'));
  chmodSync(join(dir, 'init'), 0o755);
  cpSync(nodeBin, join(dir, 'node'));
  copySharedLibraries(nodeBin, dir);
  copyWithLinks(libbpf(), dir);
  copySharedLibraries(libbpf(), dir);
  copyRepository(join(dir, 'everflame'));
  const source = join(repository, 'test/workloads/planted/chain.c');
  const flags = ['-O2', '-g', '-static', '-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer', '-DKEEP_FRAMES'];
  run('gcc', [...flags, '-fno-optimize-sibling-calls', '-o', join(dir, 'workload'), source]);
  run('sh', ['-c', 'find . | busybox cpio -o -H newc > "$1"', 'sh', archive], { cwd: dir });
}
