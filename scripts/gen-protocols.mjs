// Generates packages/protocols/src/generated/<name>.js and .d.ts from the .proto files; with --check it writes nothing
// and fails when what is committed is not what the .proto files give.
//
// protobufjs static code: no reflection and no `new Function` at run time, so it works in a page under a strict
// content security policy. 64-bit integers come out as long.js objects ({ low, high }), never as rounded numbers;
// packages/protocols/src/wire/long.ts turns them into bigint, the one representation that the packages share.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const packageFolder = path.resolve(import.meta.dirname, '../packages/protocols');
const protoFolder = path.join(packageFolder, 'proto');
const outFolder = path.join(packageFolder, 'src/generated');
const pbjs = path.join(packageFolder, 'node_modules/protobufjs-cli/bin/pbjs');

// One generated module for each top-level folder of proto/.
const modules = readdirSync(protoFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

function protoFilesOf(name) {
  return readdirSync(path.join(protoFolder, name), { recursive: true })
    .filter((file) => file.endsWith('.proto'))
    .map((file) => path.join(name, file))
    .sort();
}

// Of what can be generated, only the constructors, encode and decode are used.
const options = [
  '-t static-module -w esm --force-long',
  '--no-create --no-verify --no-convert --no-delimited --no-typeurl --no-service',
].flatMap((line) => line.split(' '));

/** @returns {Map<string, string>} file name → text */
function generate() {
  const folder = mkdtempSync(path.join(tmpdir(), 'everflame-gen-protocols-'));
  try {
    const texts = new Map();
    for (const name of modules) {
      const out = path.join(folder, `${name}.js`);
      const input = ['-r', `everflame_${name}`, '-p', protoFolder, '-o', out, ...protoFilesOf(name)];
      const run = (...more) =>
        execFileSync(process.execPath, [pbjs, ...options, ...more, ...input], {
          cwd: protoFolder,
          stdio: ['ignore', 'inherit', 'inherit'],
        });
      // The types are made from the comments, which would double the code that a page loads.
      run('--dts');
      run('--no-comments');
      const note = `// Generated from proto/${name} by scripts/gen-protocols.mjs. Not to be edited.\n`;
      texts.set(`${name}.js`, note + readFileSync(out, 'utf8'));
      const types = readFileSync(path.join(folder, `${name}.d.ts`), 'utf8');
      // `import Long = require("long")` names a package that ours does not depend on; without its types every 64-bit
      // field would silently be `any`.
      const ownLong = types.replace('import Long = require("long");', "import type { Long } from '../wire/long.ts';");
      texts.set(`${name}.d.ts`, note + ownLong);
    }
    return texts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (!existsSync(pbjs)) {
  console.error('gen-protocols: protobufjs-cli is not installed; run: pnpm install');
  process.exit(1);
}
const check = process.argv.includes('--check');
const texts = generate();
const differing = [];
for (const [file, text] of texts) {
  const target = path.join(outFolder, file);
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue;
  differing.push(path.relative(process.cwd(), target));
  if (check) continue;
  mkdirSync(outFolder, { recursive: true });
  writeFileSync(target, text);
}
const stale = existsSync(outFolder) ? readdirSync(outFolder).filter((file) => !texts.has(file)) : [];
for (const file of stale) {
  differing.push(path.relative(process.cwd(), path.join(outFolder, file)));
  if (!check) rmSync(path.join(outFolder, file));
}
if (check && differing.length > 0) {
  console.error(
    `gen-protocols: not what the .proto files give: ${differing.join(', ')}\nRun: node scripts/gen-protocols.mjs, and commit the result.`,
  );
  process.exit(1);
}
console.log(
  `gen-protocols: ${texts.size} files ${check ? 'are up to date' : differing.length === 0 ? 'unchanged' : `written: ${differing.join(', ')}`}`,
);
