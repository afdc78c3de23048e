// `npm run test:stacks`: the tests of stacks of `npm test` at their full length, and a minute under churn; with `--long`, ten.
import { spawnSync } from 'node:child_process';
import { root, toolsEnv } from './setup/paths.mjs';
import { SetupError, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const isLong = process.argv.includes('--long');
const filters = process.argv.slice(2).filter((arg) => arg !== '--long');
await setUp(() => {
  ensureWorkspace();
  const missing = [...ensureSystem('run'), ...ensureSystem('test')];
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
});
const env = { ...toolsEnv(), EVERFLAME_STACKS_FULL: '1', EVERFLAME_CHURN_SECONDS: isLong ? '600' : '60' };
const files = filters.length > 0 ? filters : ['test/e2e/stacks-', 'test/churn/'];
const result = spawnSync(
  'pnpm',
  ['exec', 'vitest', 'run', '--project=paired', '--project=e2e', '--project=churn', '--no-file-parallelism', ...files],
  {
    cwd: root,
    env,
    stdio: 'inherit',
  },
);
process.exit(result.status ?? 1);
