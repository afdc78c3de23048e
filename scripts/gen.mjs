// `npm run gen`: writes every generated file of the repository; `--check` compares instead and fails on a difference.
import { spawnSync } from 'node:child_process';
import { root, toolsEnv } from './setup/paths.mjs';
import { SetupError, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const check = process.argv.includes('--check');
/** Each takes `--check`; without it, it writes. */
const generators = ['scripts/gen-protocols.mjs', 'scripts/gen-bpf.mjs'];

await setUp(async () => {
  ensureWorkspace();
  const missing = ensureSystem('test');
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
});
let failed = false;
for (const generator of generators) {
  const result = spawnSync('node', [generator, ...(check ? ['--check'] : [])], {
    cwd: root,
    env: toolsEnv(),
    stdio: 'inherit',
  });
  failed ||= result.status !== 0;
}
process.exit(failed ? 1 : 0);
