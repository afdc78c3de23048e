// `npm test`: sets up what the tests need, runs all checks and then all tests. `npm test -- FILTER…` runs some tests, without the checks.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compileCache, ensureCompiled } from './setup/compile-cache.mjs';
import { endLeftBehind, markedEnv } from './setup/left-behind.mjs';
import { root, toolsEnv } from './setup/paths.mjs';
import { SetupError, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const filters = process.argv.slice(2);
await setUp(async () => {
  ensureWorkspace();
  const missing = [...ensureSystem('run'), ...ensureSystem('test')];
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
  const { buildWeb } = await import('./build-web.mjs');
  await buildWeb();
  ensureCompiled();
});

const env = markedEnv(toolsEnv());
// Hundreds of processes load the same packages: compiling them anew was a fifth of the CPU of 37 unit test files, a quarter of record-diff's.
env.NODE_COMPILE_CACHE = compileCache;
if (existsSync('/usr/local/go/bin/go')) env.PATH += ':/usr/local/go/bin';
const inherit = { cwd: root, env, stdio: 'inherit' };
if (filters.length === 0 && spawnSync('node', ['scripts/check.mjs'], inherit).status !== 0) process.exit(1);

// Go 1.25 and later build it on first use: beside tests that use both cores it took a minute, as long as a test may.
spawnSync('go', ['tool', '-n', 'pprof'], { env, stdio: 'ignore' });

const report = join(root, '.everflame', 'test-report.json');
mkdirSync(join(root, '.everflame'), { recursive: true });
rmSync(report, { force: true });
const vitest = [
  'vitest',
  'run',
  '--project=unit',
  '--project=waiting',
  '--project=untimed',
  '--project=paired',
  '--project=e2e',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...filters,
];
const run = spawn('pnpm', ['exec', ...vitest], inherit);
// The report is the last that vitest does before it ends its workers.
const ending = setInterval(() => {
  if (!existsSync(report) || Date.now() - statSync(report).mtimeMs < 15_000) return;
  for (const left of endLeftBehind(env, run.pid)) console.error(`a test left this process running, ended now: ${left}`);
}, 1000);
const [status] = await once(run, 'exit');
clearInterval(ending);
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  // A file whose set-up failed has no test that failed.
  const broken = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
  ).length;
  const files = broken === 0 ? '' : `, ${broken} test files could not run`;
  console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped${files}`);
}
process.exit(status ?? 1);
