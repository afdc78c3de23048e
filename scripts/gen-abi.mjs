#!/usr/bin/env node
// Makes packages/agent/src/kernel/generated/abi.ts from bpf/abi.h. `--check` fails when the file in the tree is another.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const header = new URL('../bpf/abi.h', import.meta.url);
const target = new URL('../packages/agent/src/kernel/generated/abi.ts', import.meta.url);
const widths = { __u8: 1, __u16: 2, __u32: 4, __u64: 8 };

/** `ef_sample` → `sample`, `EF_MAX_FRAMES` → `maxFrames`. */
const camel = (name) =>
  name
    .replace(/^(EF_|ef_)/u, '')
    .toLowerCase()
    .replaceAll(/_(\w)/gu, (_, letter) => letter.toUpperCase());

/** The text of abi.ts for the text of abi.h. Throws on what it does not understand: better no file than a wrong one. */
export function generateAbi(source) {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/\/\/.*$/gmu, '');
  const constants = new Map();
  for (const [, name, value] of text.matchAll(/^#define (EF_\w+) +(\d+)$/gmu)) constants.set(name, Number(value));
  const out = ['// Generated from bpf/abi.h by scripts/gen-abi.mjs. Do not edit.', ''];
  for (const [name, value] of constants) out.push(`export const ${camel(name)} = ${value};`);
  for (const [, name, body] of text.matchAll(/^struct (\w+) \{\n([\s\S]*?)^\};/gmu)) {
    let offset = 0;
    let alignment = 1;
    out.push('', `/** \`struct ${name}\`: offset of each field in bytes. */`, `export const ${camel(name)}Offset = {`);
    for (const line of body.split('\n').filter((each) => each.trim() !== '')) {
      const field = /^\t(__u8|__u16|__u32|__u64) (\w+)(?:\[(\w+)\])?;\s*$/u.exec(line);
      if (field === null) throw new Error(`bpf/abi.h: cannot read the field "${line.trim()}"`);
      const [, type, fieldName, length = '1'] = field;
      const width = widths[type];
      if (offset % width !== 0) throw new Error(`bpf/abi.h: ${name}.${fieldName} would be padded; name the padding`);
      const count = constants.get(length) ?? Number(length);
      if (!Number.isInteger(count)) throw new Error(`bpf/abi.h: ${name}.${fieldName} has an unknown length`);
      out.push(`  ${camel(fieldName)}: ${offset},`);
      offset += width * count;
      alignment = Math.max(alignment, width);
    }
    if (offset % alignment !== 0) throw new Error(`bpf/abi.h: ${name} would be padded at its end`);
    out.push('} as const;', `export const ${camel(name)}Bytes = ${offset};`);
  }
  return `${out.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = generateAbi(readFileSync(header, 'utf8'));
  if (!process.argv.includes('--check')) {
    writeFileSync(target, made);
  } else if (readFileSync(target, 'utf8') !== made) {
    console.error('generated/abi.ts does not fit bpf/abi.h. Mend it with: node scripts/gen-abi.mjs');
    process.exitCode = 1;
  }
}
