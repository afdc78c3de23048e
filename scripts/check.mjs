// `npm run check`: types, lint, format, import table, generated files, BPF objects, duplicates. `--fix` mends what a tool can mend.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { root, toolsEnv } from './setup/paths.mjs';
import { SetupError, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const fix = process.argv.includes('--fix');

/** `remedy`: what to do when it fails. */
const steps = [
  { name: 'format', command: ['oxfmt', ...(fix ? [] : ['--check'])], remedy: 'npm run fix' },
  {
    name: 'lint',
    command: ['oxlint', ...(fix ? ['--fix'] : [])],
    remedy: 'npm run fix, then mend what is left by hand',
  },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'], remedy: 'mend the types' },
  {
    name: 'types of browser-safe packages',
    command: ['tsc', '-p', 'tsconfig.pure.json'],
    remedy: 'mend the types; these packages may not use Node.js or the DOM',
  },
  { name: 'types of their tests', command: ['tsc', '-p', 'tsconfig.tests.json'], remedy: 'mend the types' },
  { name: 'types of web', command: ['tsc', '-p', 'web/tsconfig.json'], remedy: 'mend the types' },
  {
    name: 'imports',
    command: ['node', 'scripts/check-imports.mjs'],
    remedy: 'import downwards only, see scripts/import-table.mjs',
  },
  { name: 'documents', command: ['node', 'scripts/check-docs.mjs'], remedy: 'name what exists' },
  {
    name: 'generated code',
    command: ['node', 'scripts/gen.mjs', '--check'],
    remedy: 'npm run gen, and commit the result',
  },
  {
    name: 'duplicates',
    command: ['jscpd', '--config', '.jscpd.json'],
    remedy: 'let one piece of code serve both places',
  },
];

await setUp(async () => {
  ensureWorkspace();
  const missing = ensureSystem('test');
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
});

let failed = 0;

/** Says how it went when it is over. */
async function runStep({ name, command, remedy }) {
  const [program = '', ...args] = command;
  const startedAt = performance.now();
  const child = spawn(program, args, { cwd: root, env: toolsEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = Promise.all([text(child.stdout), text(child.stderr)]);
  const outcome = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (outcome === 0) {
    console.log(`ok    ${name} (${seconds} s)`);
    return;
  }
  failed++;
  const output = typeof outcome === 'string' ? `${outcome}\n` : (await printed).join('');
  console.log(`${output}\nFAIL  ${name} (${seconds} s): ${remedy}`);
}

async function runInTurn(some) {
  for (const step of some) await runStep(step);
}

// The last one takes as long as all others together, with one core. What mends files is over before they are read.
if (fix) await runInTurn(steps);
else await Promise.all([runInTurn(steps.slice(0, -1)), runInTurn(steps.slice(-1))]);
if (failed > 0) {
  console.log(`${failed} of ${steps.length} checks failed`);
  process.exit(1);
}
console.log(`all ${steps.length} checks passed`);
