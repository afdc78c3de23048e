import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/**
 * The whole list of what is read from a process's environment. The rest is never turned into strings: an environment holds
 * secrets, and none may reach a label.
 */
export const readVariableNames = [
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'HOSTNAME',
  'POD_NAME',
  'POD_NAMESPACE',
  'KUBERNETES_SERVICE_HOST',
] as const;

export type Variables = Partial<Record<(typeof readVariableNames)[number], string>>;

export type EnvironmentReading =
  | { readonly kind: 'read'; readonly variables: Variables }
  /** The process is, or its environment is no more (a zombie) or not yet (in the midst of execve). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'denied' };

/** Longer environments are read to this point: ARG_MAX allows megabytes. */
const maxBytes = 256 * 1024;
/** Longer values count as absent. */
const maxValueBytes = 32 * 1024;

const buffer = Buffer.allocUnsafe(maxBytes);
const needles = readVariableNames.map((name) => ({ name, bytes: Buffer.from(`${name}=`) }));

/** Reads `{folder}/environ`, where `folder` is /proc/PID. */
export function readEnvironment(folder: string): EnvironmentReading {
  try {
    const length = readInto(`${folder}/environ`);
    if (length === 0 && !hasEnvironment(folder)) return { kind: 'gone' };
    return { kind: 'read', variables: pickVariables(buffer.subarray(0, length)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return { kind: 'gone' };
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied' };
    throw error;
  }
}

/** Tells an empty environment from none. Field 51 of stat is where it ends in memory: 0 before execve has made it and after exit. */
function hasEnvironment(folder: string): boolean {
  const stat = readFileSync(`${folder}/stat`, 'latin1');
  // Field 2 is the command in parentheses, which may hold anything; field 3 is the first after it.
  return (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[51 - 3] ?? '0') !== '0';
}

function readInto(file: string): number {
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    // The kernel fills what is asked for unless it comes to the end, so mostly one call does.
    for (let asked = 16 * 1024; length < maxBytes; asked = maxBytes - length) {
      const read = readSync(descriptor, buffer, length, Math.min(asked, maxBytes - length), null);
      length += read;
      if (read < asked) break;
    }
    return length;
  } finally {
    closeSync(descriptor);
  }
}

/** Finds the listed variables in NUL-separated `NAME=value` entries. The first of equal names wins, as with getenv(3). */
export function pickVariables(environment: Buffer): Variables {
  const variables: Variables = {};
  for (const { name, bytes } of needles) {
    let at = environment.indexOf(bytes);
    while (at > 0 && environment[at - 1] !== 0) at = environment.indexOf(bytes, at + 1);
    if (at === -1) continue;
    const start = at + bytes.length;
    const zero = environment.indexOf(0, start);
    const end = zero === -1 ? environment.length : zero;
    if (end - start <= maxValueBytes) variables[name] = environment.toString('utf8', start, end);
  }
  return variables;
}
