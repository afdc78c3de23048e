// How this machine reaches its package registries, handed on to a root file system: name servers, certificates, and the
// settings of apt, npm and pip. Read at run time from the machine, so that nothing of it stands in the repository.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Copied as they are, where they exist. */
const files = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/pip.conf',
  '/etc/npmrc',
  '/etc/ssl/certs/ca-certificates.crt',
  '/usr/local/share/ca-certificates',
];
/** Variables that name proxies or certificates; no others go in. */
const variable = /^(?:https?_proxy|no_proxy|all_proxy|GOPROXY|GOSUMDB|GOFLAGS|PIP_INDEX_URL|npm_config_registry)$/iu;
const certificateVariable =
  /^(?:SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|PIP_CERT|GIT_SSL_CAINFO)$/u;

function copyInto(root, path, to = path) {
  if (!existsSync(path)) return;
  mkdirSync(dirname(join(root, to)), { recursive: true });
  cpSync(path, join(root, to), { recursive: true, dereference: true, force: true });
}

/** npm's two files of settings, wherever this machine keeps them. */
function npmSettings() {
  return ['globalconfig', 'userconfig'].flatMap((name) => {
    const result = spawnSync('npm', ['config', 'get', name, '--loglevel=silent'], { encoding: 'utf8' });
    const path = (result.stdout ?? '').trim();
    if (result.status !== 0 || !path.startsWith('/') || !existsSync(path)) return [];
    // Settings without secrets only: a token of this machine has no business in a root that is thrown away.
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) =>
      /^\s*(?:@[^:]+:)?(?:registry|proxy|https-proxy|noproxy|cafile|ca(?:\[\])?|strict-ssl)\s*=/u.test(line),
    );
  });
}

function copyApt(root) {
  const sourcesDir = '/etc/apt/sources.list.d';
  const lists = existsSync(sourcesDir) ? readdirSync(sourcesDir).map((name) => join(sourcesDir, name)) : [];
  const sources = ['/etc/apt/sources.list', ...lists].filter((path) => {
    if (!/\.(?:list|sources)$/u.test(path) || !existsSync(path)) return false;
    const text = readFileSync(path, 'utf8');
    const keys = [...text.matchAll(/signed-by[:=]\s*(\/[^\s\]]+)/giu)].map((match) => match[1] ?? '');
    // Sources of other vendors need keys that a bare Debian does not have; they are not what is tested.
    return text.includes('bookworm') && keys.every((key) => existsSync(join(root, key)));
  });
  if (sources.length > 0) {
    writeFileSync(join(root, 'etc/apt/sources.list'), '');
    for (const path of sources) copyInto(root, path);
  }
  for (const name of readdirSync('/etc/apt/apt.conf.d')) {
    const path = join('/etc/apt/apt.conf.d', name);
    if (statSync(path).isFile() && /^\s*Acquire/imu.test(readFileSync(path, 'utf8'))) copyInto(root, path);
  }
}

/** Makes a root reach what this machine reaches. */
export function copyNetworkSettings(root) {
  for (const path of files) copyInto(root, path);
  copyInto(root, join(homedir(), '.config/pip/pip.conf'), '/root/.config/pip/pip.conf');
  const npmrc = npmSettings();
  if (npmrc.length > 0) writeFileSync(join(root, 'root/.npmrc'), `${npmrc.join('\n')}\n`);
  copyApt(root);
}

/** The variables of this machine that a command in such a root needs to reach the registries. */
export function networkEnv() {
  const entries = Object.entries(process.env).filter(([name, value]) => {
    if (value === undefined) return false;
    if (certificateVariable.test(name)) return value.startsWith('/etc/ssl/');
    return variable.test(name);
  });
  return Object.fromEntries(entries);
}
