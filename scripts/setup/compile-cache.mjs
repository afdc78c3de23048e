// Node.js takes the types off and compiles some 400 modules at the first start, and what takes them off stays in memory: 21 MB and 0.25 s of CPU
// in each thread of the agent. Here it is done once, in processes that end, and both find the result.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBin, root, toolsDir } from './paths.mjs';
import { say } from './run.mjs';
import { hashOf, isFresh, writeStamp } from './stamp.mjs';

export const compileCache = process.env.NODE_COMPILE_CACHE ?? join(root, '.everflame', 'compile-cache');
/** How the agent's Node.js is run. Some flags make a cache of their own, so it is filled with the same ones. */
export const agentRuntime = JSON.parse(
  readFileSync(join(root, 'packages', 'cli', 'src', 'agent-runtime.json'), 'utf8'),
);

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
    [script, 'agent', 'server'],
  ].map((args) => spawnSync(nodeBin, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0);
  if (done.every(Boolean)) writeStamp(stamp, value);
}
