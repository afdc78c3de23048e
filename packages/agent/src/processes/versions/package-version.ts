import { posix } from 'node:path';
import type { RootFiles } from './root-files.ts';
import type { FoundVersion } from './version.ts';

/** npm's own limit is of this order; a manifest has kilobytes. */
const mostManifestBytes = 512 * 1024;
/** Folders between a script and its package. */
const levels = 12;
/** A folder of installed packages has some hundreds. */
const mostNames = 4000;
/** What tools put where nobody has set a version: says nothing. */
const unset = new Set(['', '0.0.0', '0.0.0-development', '0.0.0-semantically-released']);

/** The version in the nearest package.json at or above `folder` that has one. */
export async function readPackageJson(files: RootFiles, folder: string): Promise<FoundVersion | undefined> {
  return upwards(folder, async (at) => {
    const text = await files.readText(posix.join(at, 'package.json'), mostManifestBytes);
    const version = text === undefined ? undefined : versionOfJson(text);
    return version === undefined ? undefined : { version, source: 'package_json' };
  });
}

/** Of what a package.json says; a file that is not JSON says nothing. */
function versionOfJson(text: string): string | undefined {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return undefined;
  return typeof manifest.version === 'string' && !unset.has(manifest.version) ? manifest.version : undefined;
}

export interface PythonProgram {
  /** Where the script lies, or the working directory. */
  readonly folder: string;
  /** A module or a console script; '' for none. */
  readonly module: string;
  /** As it was started: `/srv/venv/bin/python`. */
  readonly interpreter: string;
  /** Its file: `python3.11`. */
  readonly interpreterName: string;
}

/**
 * The version of a Python program: of the distribution that has installed its module or console script (`NAME-VERSION.dist-info` of PEP 376 and 627,
 * `.egg-info` before), else of the project that it lies in (`pyproject.toml` of PEP 621, `PKG-INFO`).
 */
export async function readPythonVersion(files: RootFiles, program: PythonProgram): Promise<FoundVersion | undefined> {
  const { folder, module, interpreter, interpreterName } = program;
  if (module !== '') {
    for (const place of sitePackages(folder, interpreter, interpreterName)) {
      const version = distributionVersion((await files.list(place, mostNames)) ?? [], module);
      if (version !== undefined) return { version, source: 'python_dist' };
    }
  }
  return upwards(folder, async (at) => {
    const project = await files.readText(posix.join(at, 'pyproject.toml'), mostManifestBytes);
    const version =
      (project === undefined ? undefined : versionOfProject(project)) ??
      versionOfMetadata((await files.readText(posix.join(at, 'PKG-INFO'), mostManifestBytes)) ?? '');
    return version === undefined ? undefined : { version, source: 'python_dist' };
  });
}

/** Where installed packages may lie: those of the virtual environment first. Its interpreter is a link, so that only its path as it was started tells it. */
function sitePackages(folder: string, interpreter: string, interpreterName: string): string[] {
  const release = /^python(\d\.\d+)/u.exec(interpreterName)?.[1];
  const bins = new Set([folder, ...(posix.isAbsolute(interpreter) ? [posix.dirname(interpreter)] : [])]);
  const prefixes = [...bins].filter((bin) => posix.basename(bin) === 'bin').map((bin) => posix.dirname(bin));
  const versioned = [...prefixes, '/usr/local', '/usr'].flatMap((prefix) =>
    release === undefined
      ? []
      : [`${prefix}/lib/python${release}/site-packages`, `${prefix}/lib/python${release}/dist-packages`],
  );
  return [...new Set([folder, ...versioned, '/usr/lib/python3/dist-packages'])];
}

/** Names are compared as PEP 503 writes them. */
function distributionVersion(names: readonly string[], module: string): string | undefined {
  const wanted = normalized(module);
  for (const name of names) {
    const found = /^(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$/u.exec(name);
    if (found !== null && normalized(found[1] ?? '') === wanted && !unset.has(found[2] ?? '')) return found[2];
  }
  return undefined;
}

function normalized(name: string): string {
  return name.replaceAll(/[-_.]+/gu, '-').toLowerCase();
}

/** `version = "1.2.3"` in the tables `[project]` or `[tool.poetry]`; one that is computed is not there. */
function versionOfProject(text: string): string | undefined {
  let table = '';
  for (const line of text.split('\n', 20_000)) {
    table = /^\s*\[([^[\]]+)\]/u.exec(line)?.[1]?.trim() ?? table;
    if (table !== 'project' && table !== 'tool.poetry') continue;
    const version = /^\s*version\s*=\s*["']([^"']+)["']/u.exec(line)?.[1];
    if (version !== undefined && !unset.has(version)) return version;
  }
  return undefined;
}

/** A line of the headers of the core metadata (PEP 566). */
function versionOfMetadata(text: string): string | undefined {
  const [headers = ''] = text.split(/\r?\n\r?\n/u, 1);
  const version = /^Version: *(\S+)/mu.exec(headers)?.[1];
  return version === undefined || unset.has(version) ? undefined : version;
}

async function upwards(
  folder: string,
  look: (at: string) => Promise<FoundVersion | undefined>,
): Promise<FoundVersion | undefined> {
  for (let at = folder, level = 0; level < levels; level++, at = posix.dirname(at)) {
    const found = await look(at);
    if (found !== undefined || at === '/') return found;
  }
  return undefined;
}
