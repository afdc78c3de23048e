// `npm run check`: types, lint, format, import table, generated files, BPF objects, duplicates. `--fix` mends what a tool can mend.
import { spawnSync } from 'node:child_process';
import { root, toolsEnv } from './setup/paths.mjs';
import { SetupError, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const fix = process.argv.includes('--fix');

/** Name, command, and what to do when it fails. */
const steps = [
  ['format', ['oxfmt', ...(fix ? [] : ['--check'])], 'npm run fix'],
  ['lint', ['oxlint', ...(fix ? ['--fix'] : [])], 'npm run fix, then mend what is left by hand'],
  ['types', ['tsc', '-p', 'tsconfig.json'], 'mend the types'],
  [
    'types of browser-safe packages',
    ['tsc', '-p', 'tsconfig.pure.json'],
    'mend the types; these packages may not use Node.js or the DOM',
  ],
  ['types of their tests', ['tsc', '-p', 'tsconfig.tests.json'], 'mend the types'],
  ['types of web', ['tsc', '-p', 'web/tsconfig.json'], 'mend the types'],
  ['imports', ['node', 'scripts/check-imports.mjs'], 'import downwards only, see scripts/import-table.mjs'],
  ['generated code', ['node', 'scripts/gen.mjs', '--check'], 'npm run gen, and commit the result'],
  ['duplicates', ['jscpd', '--config', '.jscpd.json'], 'let one piece of code serve both places'],
];

await setUp(async () => {
  ensureWorkspace();
  const missing = ensureSystem('test');
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
});

let failed = 0;
for (const [name, [command, ...args], remedy] of steps) {
  const startedAt = performance.now();
  const result = spawnSync(command, args, {
    cwd: root,
    env: toolsEnv(),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (result.status === 0) {
    console.log(`ok    ${name} (${seconds} s)`);
    continue;
  }
  failed++;
  console.log(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`);
  console.log(`FAIL  ${name} (${seconds} s): ${remedy}`);
}
if (failed > 0) {
  console.log(`${failed} of ${steps.length} checks failed`);
  process.exit(1);
}
console.log(`all ${steps.length} checks passed`);
