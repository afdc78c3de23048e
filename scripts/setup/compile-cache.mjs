// Node.js takes the types off and compiles some 400 modules at the first start, and what takes them off stays in memory: 21 MB and 0.25 s of CPU
// in each thread of the agent. Here it is done once, in processes that end, and both find the result.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBin, root, toolsDir } from './paths.mjs';
import { say } from './run.mjs';
import { hashOf, isFresh, writeStamp } from './stamp.mjs';

export const compileCache = process.env.NODE_COMPILE_CACHE ?? join(root, '.everflame', 'compile-cache');
/** How Node.js is run for the agent and for the server. Some flags make a cache of their own, so it is filled with the same ones. */
const runtimeOf = (name) =>
  JSON.parse(readFileSync(join(root, 'packages', 'cli', 'src', `${name}-runtime.json`), 'utf8'));
export const agentRuntime = runtimeOf('agent');
/**
 * The server makes and drops columns of some hundred kilobytes all the time. glibc raises the size from which it gives such blocks back at once, as it meets
 * larger ones: held at a megabyte, with few arenas and a small young generation in the main thread, 3,000 profiles leave 343 MB at most in place of
 * 452, for the same CPU, measured side by side.
 */
export const serverRuntime = runtimeOf('server');

/** Fills the cache unless the source is the one that filled it. What fails here costs time later on, nothing else. */
export function ensureCompiled() {
  const stamp = join(compileCache, '.stamp');
  const inputs = [join(root, 'packages'), join(root, 'pnpm-lock.yaml'), join(toolsDir, 'package-lock.json')];
  const value = hashOf(inputs, root);
  if (isFresh(stamp, value)) return;
  say('compiling (once for each state of the source)');
  rmSync(compileCache, { recursive: true, force: true });
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  const script = join(root, 'scripts', 'setup', 'compile-packages.mjs');
  const done = [
    [...agentRuntime.flags, script, 'agent'],
    [...serverRuntime.flags, script, 'agent', 'server'],
    [script, 'agent', 'server'],
  ].map((args) => spawnSync(nodeBin, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0);
  if (done.every(Boolean)) writeStamp(stamp, value);
}
