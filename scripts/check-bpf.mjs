#!/usr/bin/env node
// Are the committed objects in bpf/build/ made from the sources in bpf/? `--write` makes them anew.
// Without clang only the hash is compared; with it everything is compiled, and with the very clang that made the
// committed objects the bytes have to be equal too.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { writeAbi } from './gen-abi.mjs';

const folder = fileURLToPath(new URL('../bpf/', import.meta.url));
const manifestFile = join(folder, 'build/manifest.json');
const objects = ['sample'];
const targets = { x86_64: '__TARGET_ARCH_x86', aarch64: '__TARGET_ARCH_arm64' };

/** What clang is told. In the hash, since another flag makes another object. Paths of this machine stay outside. */
const flags =
  '-target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=bpf -Wall -Wextra -Werror -Wno-unused-parameter'.split(' ');

function sourceHash() {
  const hash = createHash('sha256').update(JSON.stringify({ flags, targets, objects }));
  for (const name of readdirSync(folder)
    .filter((each) => /\.[ch]$/u.test(each))
    .sort()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) return { ok: false, text: error.message };
  return { ok: status === 0, text: status === 0 ? stdout : stderr };
}

/** The folder of asm/types.h, where Debian and its kin keep it per architecture. Any will do: the types are equal. */
function includeFlags() {
  const folders = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((each) => `/usr/include/${each}`);
  return folders.filter((each) => existsSync(`${each}/asm/types.h`)).map((each) => `-I${each}`);
}

function compile(name, define, output) {
  const built = run('clang', [...flags, ...includeFlags(), `-D${define}`, '-c', `${name}.bpf.c`, '-o', output]);
  if (!built.ok) return built;
  // DWARF goes, BTF (types, CO-RE relocations, line info) stays.
  return run('llvm-strip', ['-g', output]);
}

const problems = [];
const write = process.argv.includes('--write');
for (const target of writeAbi(!write)) problems.push(`${target} does not fit its header`);

const version = run('clang', ['--version']);
const compiler = version.ok ? version.text.split('\n')[0].trim() : undefined;
const manifest = write ? undefined : JSON.parse(readFileSync(manifestFile, 'utf8'));
if (manifest !== undefined && manifest.sourceHash !== sourceHash())
  problems.push('bpf/ changed since bpf/build/ was made');

const hashes = {};
const out = write ? join(folder, 'build') : mkdtempSync(join(tmpdir(), 'everflame-bpf-'));
try {
  for (const name of compiler === undefined ? [] : objects) {
    for (const [architecture, define] of Object.entries(targets)) {
      const file = `${name}.${architecture}.bpf.o`;
      const built = compile(name, define, join(out, file));
      if (!built.ok) {
        problems.push(`${file} does not compile:\n${built.text}`);
        continue;
      }
      hashes[file] = createHash('sha256')
        .update(readFileSync(join(out, file)))
        .digest('hex');
      if (manifest?.compiler === compiler && manifest.objects[file] !== hashes[file]) {
        problems.push(`${file} compiles to other bytes than the manifest says`);
      }
    }
  }
} finally {
  if (!write) rmSync(out, { recursive: true });
}
for (const [file, expected] of Object.entries(manifest?.objects ?? {})) {
  const actual = createHash('sha256')
    .update(readFileSync(join(folder, 'build', file)))
    .digest('hex');
  if (actual !== expected) problems.push(`bpf/build/${file} is not the file that the manifest describes`);
}

if (write && compiler === undefined) problems.push('clang is missing: apt-get install clang llvm libbpf-dev');
if (write && problems.length === 0) {
  writeFileSync(manifestFile, `${JSON.stringify({ sourceHash: sourceHash(), compiler, objects: hashes }, null, 2)}\n`);
}
for (const problem of problems) console.error(`check-bpf: ${problem}`);
if (problems.length > 0) {
  console.error('check-bpf: mend it with: node scripts/check-bpf.mjs --write');
  process.exitCode = 1;
} else if (compiler === undefined) {
  console.log('check-bpf: clang is missing, so only the source hash was compared');
}
