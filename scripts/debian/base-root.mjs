// A bare Debian root file system, made once by debootstrap and kept as a tarball outside the repository.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SetupError, run, say, which } from '../setup/run.mjs';

const suite = 'bookworm';
const packages = ['ca-certificates', 'git'];

/** Where what is costly to make is kept between runs: `$XDG_CACHE_HOME/everflame`. */
export const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'everflame');

function debianArchitecture() {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

/** The mirror that this machine's own apt uses for the suite, or none to leave the choice to debootstrap. */
function mirrorOfThisMachine() {
  if (which('apt-get') === null) return [];
  const format = '$(REPO_URI) $(CODENAME) $(COMPONENT)';
  const targets = run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const mine = targets.split('\n').find((line) => line.endsWith(` ${suite} main`));
  return mine === undefined ? [] : [mine.split(' ')[0]];
}

/**
 * Path of the tarball: Debian's smallest system with git and ca-certificates. Made when it is not there (about a minute).
 * Needs root and debootstrap; throws SetupError when it cannot be made.
 */
export function ensureBaseTarball() {
  const tarball = join(cacheDir, `debian-${suite}-${debianArchitecture()}.tar.zst`);
  if (existsSync(tarball)) return tarball;
  if (process.getuid() !== 0) throw new SetupError('debootstrap needs root; run this as root');
  for (const program of ['debootstrap', 'zstd']) {
    if (which(program) === null) throw new SetupError(`${program} missing; run: apt-get install ${program}`);
  }
  say(`making a bare Debian ${suite} (once, kept in ${cacheDir})`);
  mkdirSync(cacheDir, { recursive: true });
  const workDir = mkdtempSync(join(cacheDir, 'making-'));
  try {
    const root = join(workDir, 'root');
    run('debootstrap', ['--variant=minbase', `--include=${packages.join(',')}`, suite, root, ...mirrorOfThisMachine()]);
    rmSync(join(root, 'var/cache/apt/archives'), { recursive: true, force: true });
    mkdirSync(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
    const partial = join(workDir, 'root.tar.zst');
    run('tar', ['--numeric-owner', '--xattrs', '-I', 'zstd -3 -T0', '-cf', partial, '-C', root, '.']);
    renameSync(partial, tarball);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
  return tarball;
}

/** Unpacks the bare Debian into `dir`, which must not exist yet. */
export function unpackBase(dir) {
  const tarball = ensureBaseTarball();
  mkdirSync(dir);
  run('tar', ['--numeric-owner', '--xattrs', '-I', 'zstd', '-xf', tarball, '-C', dir]);
}
