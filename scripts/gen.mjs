// `npm run gen`: writes every generated file of the repository; `--check` compares instead and fails on a difference.
import { spawnSync } from 'node:child_process';
import { root, toolsEnv } from './setup/paths.mjs';
import { SetupError, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const check = process.argv.includes('--check');
/** What each takes to compare and to write. */
const generators = [
  { script: 'scripts/gen-protocols.mjs', compare: ['--check'], write: [] },
  { script: 'scripts/gen-abi.mjs', compare: ['--check'], write: [] },
  { script: 'scripts/check-bpf.mjs', compare: [], write: ['--write'] },
];

await setUp(async () => {
  ensureWorkspace();
  const missing = ensureSystem('test');
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
});
let failed = false;
for (const { script, compare, write } of generators) {
  const result = spawnSync('node', [script, ...(check ? compare : write)], {
    cwd: root,
    env: toolsEnv(),
    stdio: 'inherit',
  });
  failed ||= result.status !== 0;
}
process.exit(failed ? 1 : 0);
