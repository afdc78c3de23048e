#!/usr/bin/env node
// Makes constants and offsets in TypeScript from the headers that both sides of a boundary share. `--check` fails when a file in the
// tree is another.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const pairs = [
  { header: 'bpf/abi.h', target: 'packages/agent/src/kernel/generated/abi.ts' },
  { header: 'bpf/unwind-abi.h', target: 'packages/binary/src/unwind/generated/unwind-abi.ts' },
];
const widths = { __u8: 1, __u16: 2, __u32: 4, __u64: 8 };

/** `ef_sample` → `sample`, `EF_MAX_FRAMES` → `maxFrames`. */
const camel = (name) =>
  name
    .replace(/^(EF_|ef_)/u, '')
    .toLowerCase()
    .replaceAll(/_(\w)/gu, (_, letter) => letter.toUpperCase());

/** The text of `target` for the text of `header`. Throws on what it does not understand: better no file than a wrong one. */
export function generateAbi(source, header = 'bpf/abi.h') {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/(\/\/.*|[ \t]+)$/gmu, '');
  const constants = new Map();
  for (const [, name, value] of text.matchAll(/^#define (EF_\w+) +(\d+)$/gmu)) constants.set(name, Number(value));
  const out = [`// Generated from ${header} by scripts/gen-abi.mjs. Do not edit.`, ''];
  for (const [name, value] of constants) out.push(`export const ${camel(name)} = ${value};`);
  for (const [, name, body] of text.matchAll(/^struct (\w+) \{\n([\s\S]*?)^\};/gmu)) {
    let offset = 0;
    let alignment = 1;
    out.push('', `/** \`struct ${name}\`: offset of each field in bytes. */`, `export const ${camel(name)}Offset = {`);
    for (const line of body.split('\n').filter((each) => each.trim() !== '')) {
      const field = /^\t(__u8|__u16|__u32|__u64) (\w+)(?:\[(\w+)\])?;\s*$/u.exec(line);
      if (field === null) throw new Error(`${header}: cannot read the field "${line.trim()}"`);
      const [, type, fieldName, length = '1'] = field;
      const width = widths[type];
      if (offset % width !== 0) throw new Error(`${header}: ${name}.${fieldName} would be padded; name the padding`);
      const count = constants.get(length) ?? Number(length);
      if (!Number.isInteger(count)) throw new Error(`${header}: ${name}.${fieldName} has an unknown length`);
      out.push(`  ${camel(fieldName)}: ${offset},`);
      offset += width * count;
      alignment = Math.max(alignment, width);
    }
    if (offset % alignment !== 0) throw new Error(`${header}: ${name} would be padded at its end`);
    out.push('} as const;', `export const ${camel(name)}Bytes = ${offset};`);
  }
  return `${out.join('\n')}\n`;
}

/** Writes each generated file, or with `check` returns the paths of those that do not fit their header. */
export function writeAbi(check) {
  const stale = [];
  for (const { header, target } of pairs) {
    const made = generateAbi(readFileSync(new URL(header, root), 'utf8'), header);
    const file = new URL(target, root);
    if (!check) writeFileSync(file, made);
    else if (readFileSync(file, 'utf8') !== made) stale.push(target);
  }
  return stale;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const target of writeAbi(process.argv.includes('--check'))) {
    console.error(`${target} does not fit its header. Mend it with: node scripts/gen-abi.mjs`);
    process.exitCode = 1;
  }
}
