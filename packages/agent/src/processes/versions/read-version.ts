import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { type GoBuildInfo, readBuildIds, readElfFile, readGoBuildInfo } from '@everflame/binary';
import type { Program } from './command-line.ts';
import { readContainerVersion } from './container-version.ts';
import { readGitHead } from './git-head.ts';
import { readJarManifest } from './jar-manifest.ts';
import { readPackageJson, readPythonVersion } from './package-version.ts';
import { onPages } from './paged-file.ts';
import { expected, type RootFile, RootFiles } from './root-files.ts';
import { type FoundVersion, shortHash } from './version.ts';

/** The process of which a version is wanted; it may end at any time. */
export interface VersionSubject {
  readonly procRoot: string;
  readonly pid: number;
  readonly containerId: string;
  readonly program: Program;
  /** argv[0] and the name of the executable. */
  readonly interpreter: string;
  readonly executableName: string;
  readonly executablePath: string;
  /** The build ID of the executable where the kernel has told it. */
  readonly buildId: string;
}

/** What the container of a process says. */
export async function readVersionOfContainer(subject: VersionSubject): Promise<FoundVersion | undefined> {
  const own = await RootFiles.of(`${subject.procRoot}/${subject.pid}/root`);
  if (own === undefined) return undefined;
  const host = await RootFiles.of(`${subject.procRoot}/1/root`);
  try {
    return await readContainerVersion(subject.containerId, own, host);
  } finally {
    await own.close();
    await host?.close();
  }
}

/** What lies beside the program, or in its executable. */
export async function readVersionOfProgram(subject: VersionSubject): Promise<FoundVersion | undefined> {
  const { program } = subject;
  switch (program.kind) {
    case 'launcher':
      return undefined;
    case 'native':
      return readExecutable(subject);
    case 'jar':
      return readSourceProgram(subject, program.jar, async (files, path) => {
        const manifest = await files.withFile(path, async (file) => onPages(file, readJarManifest));
        const attributes = manifest?.ok === true ? manifest.value : undefined;
        const version = attributes?.get('Implementation-Version') ?? attributes?.get('Bundle-Version');
        return version === undefined || version === '' ? undefined : { version, source: 'jar_manifest' };
      });
    case 'script':
      return readSourceProgram(subject, program.script, async (files, path) => {
        const folder = program.script === '' ? path : posix.dirname(path);
        switch (program.language) {
          case 'javascript':
            return readPackageJson(files, folder);
          case 'python':
            return readPythonVersion(files, {
              folder,
              module: program.module,
              interpreter: subject.interpreter,
              interpreterName: subject.executableName,
            });
          case 'other':
            return undefined;
        }
      });
  }
}

/** A program that is run from its source: its metadata, else the commit that is checked out, else the build of what runs it. */
async function readSourceProgram(
  subject: VersionSubject,
  path: string,
  read: (files: RootFiles, absolutePath: string) => Promise<FoundVersion | undefined>,
): Promise<FoundVersion | undefined> {
  const { procRoot, pid } = subject;
  const files = await RootFiles.of(`${procRoot}/${pid}/root`);
  if (files === undefined) return undefined;
  try {
    const workingFolder = await ownPath(`${procRoot}/${pid}/cwd`, `${procRoot}/${pid}/root`);
    const absolute = posix.resolve(workingFolder, path);
    const found = await read(files, absolute);
    if (found !== undefined) return found;
    const commit = await readGitHead(files, path === '' ? absolute : posix.dirname(absolute));
    if (commit !== undefined) return { version: shortHash(commit), source: 'git_head' };
  } finally {
    await files.close();
  }
  return readExecutable(subject);
}

/** A link of /proc as the process would say it: in a chroot that is no mount namespace's root, without its root. */
async function ownPath(link: string, rootLink: string): Promise<string> {
  const path = (await expected(readlink(link))) ?? '/';
  const root = (await expected(readlink(rootLink))) ?? '/';
  return root !== '/' && (path === root || path.startsWith(`${root}/`)) ? path.slice(root.length) || '/' : path;
}

/** Go's build information, else the build ID. */
async function readExecutable({
  procRoot,
  pid,
  buildId,
  executablePath,
}: VersionSubject): Promise<FoundVersion | undefined> {
  const handle = await expected(open(`${procRoot}/${pid}/exe`, constants.O_RDONLY | constants.O_NONBLOCK));
  let read: Executable | undefined;
  if (handle !== undefined) {
    try {
      const stat = await handle.stat();
      if (stat.isFile()) read = await readElf({ handle, size: stat.size });
    } finally {
      await handle.close();
    }
  } else if (buildId !== '') {
    // It has ended, as short-lived processes have by now: the file at its path on the host, when that is the same build.
    const host = await RootFiles.of(`${procRoot}/1/root`);
    read = await host?.withFile(executablePath, readElf);
    await host?.close();
    if (read?.gnu !== buildId) read = undefined;
  }
  const id = buildId || (read?.gnu ?? '') || (read?.go ?? '');
  return (read?.info === undefined ? undefined : versionOfGo(read.info, id)) ?? ofBuildId(id);
}

interface Executable {
  readonly gnu: string;
  /** A hash of the identity that Go's linker writes. */
  readonly go: string;
  readonly info: GoBuildInfo | undefined;
}

async function readElf(file: RootFile): Promise<Executable | undefined> {
  return expected(
    onPages(file, (source) => {
      const elf = readElfFile(source);
      if (!elf.ok) return undefined;
      const info = readGoBuildInfo(elf.value);
      const { gnu, go } = readBuildIds(elf.value);
      const hash = go === '' ? '' : createHash('sha256').update(go).digest('hex');
      return { gnu, go: hash, info: info.ok ? info.value : undefined };
    }),
  );
}

function ofBuildId(id: string): FoundVersion | undefined {
  return id === '' ? undefined : { version: shortHash(id), source: 'build_id' };
}

/**
 * A release by its tag, everything else by its commit. A build of changed files is not its commit: it carries its build ID as well, so that the next
 * such build is another version.
 */
export function versionOfGo({ mainVersion, settings }: GoBuildInfo, buildId: string): FoundVersion | undefined {
  const revision = settings.get('vcs.revision') ?? '';
  // Without a tag, Go makes a version of time and commit: v0.0.0-20060102150405-abcdefabcdef.
  const isTag =
    mainVersion !== '' && mainVersion !== '(devel)' && !/[-.]\d{14}-[0-9a-f]{12}(?:\+|$)/u.test(mainVersion);
  const version = isTag ? mainVersion.replace(/\+dirty$/u, '') : shortHash(revision);
  if (version === '') return undefined;
  const isDirty = settings.get('vcs.modified') === 'true' || mainVersion.endsWith('+dirty');
  return { version: isDirty ? `${version}+dirty.${buildId.slice(0, 8)}` : version, source: 'go_build_info' };
}
