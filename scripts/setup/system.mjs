// System packages, by apt. What is there already is not touched; without root or apt one line says what to install by hand.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { SetupError, run, say, which } from './run.mjs';

const libraryDirs = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/lib/x86_64-linux-gnu',
  '/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];
const hasLibrary = (name) =>
  libraryDirs.some((dir) => existsSync(dir) && readdirSync(dir).some((file) => file.startsWith(name)));
const anyOf = (...programs) => programs.some((program) => which(program) !== null);

/** What each purpose needs: how to tell that it is there, and Debian's and Ubuntu's package for it. Without what is `optional` the rest does its work. */
const needs = {
  /** To profile. Without it the server runs, the agent does not. */
  run: [{ what: 'libbpf', isThere: () => hasLibrary('libbpf.so.1'), packages: ['libbpf1'] }],
  /** To rebuild the BPF objects and to run the tests. */
  test: [
    { what: 'clang', isThere: () => anyOf('clang'), packages: ['clang'] },
    { what: 'llvm-strip', isThere: () => anyOf('llvm-strip', 'llvm-strip-14', 'llvm-strip-18'), packages: ['llvm'] },
    { what: 'BPF headers', isThere: () => existsSync('/usr/include/bpf/bpf_helpers.h'), packages: ['libbpf-dev'] },
    { what: 'C and C++ compilers', isThere: () => anyOf('gcc') && anyOf('g++'), packages: ['build-essential'] },
    { what: 'readelf', isThere: () => anyOf('readelf'), packages: ['binutils'] },
    { what: 'xz', isThere: () => anyOf('xz'), packages: ['xz-utils'] },
    { what: 'dwz', isThere: () => anyOf('dwz'), packages: ['dwz'] },
    {
      what: 'Go (for go tool pprof)',
      isThere: () => anyOf('go') || existsSync('/usr/local/go/bin/go'),
      packages: ['golang-go'],
    },
    { what: 'rustc', isThere: () => anyOf('rustc'), packages: ['rustc'] },
    { what: 'a Java compiler', isThere: () => anyOf('javac'), packages: ['default-jdk-headless'] },
    { what: 'python3 of the distribution', isThere: () => existsSync('/usr/bin/python3'), packages: ['python3'] },
    { what: 'Chromium', isThere: () => anyOf('chromium', 'chromium-browser'), packages: ['chromium'] },
    // The same engine without the windows around it, a third of the CPU for each page that is opened. Not in each release.
    {
      what: 'Chromium without windows',
      isThere: () => anyOf('chromium-headless-shell'),
      packages: ['chromium-headless-shell'],
      optional: true,
    },
    { what: 'docker-compose', isThere: () => anyOf('docker-compose'), packages: ['docker-compose'] },
    // gcc-12-multilib, not gcc-multilib: that one drives out the compilers for other architectures.
    {
      what: 'a 32-bit C compiler',
      isThere: () => process.arch !== 'x64' || existsSync('/usr/lib32/crt1.o'),
      packages: ['gcc-12-multilib', 'libc6-dev-i386'],
    },
    { what: 'musl-gcc', isThere: () => anyOf('musl-gcc'), packages: ['musl-tools'] },
    { what: 'perf', isThere: () => anyOf('perf'), packages: ['linux-perf'] },
    { what: 'curl', isThere: () => anyOf('curl'), packages: ['curl'] },
    { what: 'openssl', isThere: () => anyOf('openssl'), packages: ['openssl'] },
  ],
  /** To boot other kernels (`npm run test:kernels`). */
  kernels: [
    { what: 'qemu-system-x86_64', isThere: () => anyOf('qemu-system-x86_64'), packages: ['qemu-system-x86'] },
    { what: 'busybox', isThere: () => anyOf('busybox'), packages: ['busybox-static'] },
    { what: 'a C compiler', isThere: () => anyOf('gcc'), packages: ['build-essential'] },
  ],
};

/**
 * Makes sure that everything for `purpose` is installed.
 * @returns {string[]} what is still missing, one line each with the way to mend it; empty when all is there
 */
export function ensureSystem(purpose) {
  const absent = needs[purpose].filter((need) => !need.isThere());
  const missing = absent.filter((need) => need.optional !== true);
  const problems = missing.length === 0 ? [] : installed(missing);
  if (problems.length > 0 || which('apt-get') === null || process.getuid() !== 0) return problems;
  for (const { what, packages } of absent.filter((need) => need.optional === true)) {
    say(`installing ${packages.join(' ')} (once)`);
    if (install(packages) !== null) say(`${what} is not to be had here; what uses it uses something else`);
  }
  return [];
}

/** Installs what is missing: what still is, as `ensureSystem`. */
function installed(missing) {
  const packages = missing.flatMap((need) => need.packages);
  const byHand = `apt-get install ${packages.join(' ')}`;
  const names = missing.map((need) => need.what).join(', ');
  if (which('apt-get') === null)
    return [`${names} missing and there is no apt here; install ${names} with this system's package manager`];
  if (process.getuid() !== 0) return [`${names} missing and not root; run: sudo ${byHand}`];
  say(`installing ${packages.join(' ')} (once)`);
  const failure = install(packages);
  if (failure !== null) return [`${names} missing: ${failure}; try: ${byHand}`];
  return missing
    .filter((need) => !need.isThere())
    .map((need) => `${need.what} still missing after installing ${need.packages.join(' ')}`);
}

/** Null, or why apt did not install them. */
function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const command = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  try {
    // The package lists may be absent or old on a fresh machine: one more try after an update.
    const first = spawnSync('apt-get', command, { env, encoding: 'utf8' });
    if (first.status !== 0) {
      run('apt-get', ['update', '-qq'], { env });
      run('apt-get', command, { env });
    }
    return null;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return error.message;
  }
}
