import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { readElfFile } from '../elf/elf-file.ts';
import { randomNumbers } from '../testing/random.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { type GoLabelsFound, readGoLabels } from './read-go-labels.ts';

const files = new TemporaryFiles();
const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';
const labelled = `package main

import (
  "context"
  "runtime/pprof"
)

func main() {
  pprof.Do(context.Background(), pprof.Labels("a", "b"), func(context.Context) { println("c") })
}
`;

function build(name: string, source: string, flags: readonly string[]): string {
  const path = files.path(name);
  execFileSync(go, ['build', ...flags, '-o', path, files.write(`${name}.go`, source)], {
    env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0' },
    stdio: 'pipe',
  });
  return path;
}

function labelsOf(bytes: Uint8Array): GoLabelsFound {
  const elf = readElfFile(new BufferSource(bytes));
  const labels = elf.ok ? readGoLabels(elf.value) : elf;
  if (!labels.ok) throw new Error(labels.error.detail);
  return labels.value;
}

/** Offset of a field by the program's own debugging information, as readelf prints it. */
function fieldOffset(dump: string, structure: string, field: string): number {
  const start = dump.indexOf(`: ${structure}\n`);
  const end = dump.indexOf('DW_TAG_structure_type', start);
  const entry = new RegExp(`DW_AT_name\\s+: ${field}\\n\\s+<\\w+>\\s+DW_AT_data_member_location: (\\d+)`, 'u');
  return Number(entry.exec(dump.slice(start, end))?.[1]);
}

test('offsets of a stripped program are those of its twin’s debugging information', () => {
  const whole = build('whole', labelled, ['-ldflags=-compressdwarf=false']);
  const dump = execFileSync('readelf', ['--debug-dump=info', whole], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const expected = {
    threadOffset: -8,
    threadOf: fieldOffset(dump, 'runtime.g', 'm'),
    current: fieldOffset(dump, 'runtime.m', 'curg'),
    labels: fieldOffset(dump, 'runtime.g', 'labels'),
    kind: dump.includes('hash<string,string>') ? 'map' : 'slice',
  };
  expect(expected.labels).toBeGreaterThan(0);
  expect(labelsOf(readFileSync(whole))).toEqual(expected);
  expect(labelsOf(readFileSync(build('stripped', labelled, ['-ldflags=-s -w'])))).toEqual(expected);
  expect(labelsOf(readFileSync(build('pie', labelled, ['-ldflags=-s -w', '-buildmode=pie'])))).toEqual(expected);
});

test('a program that sets no labels has none', () => {
  expect(labelsOf(readFileSync(build('plain', 'package main\n\nfunc main() { println("a") }\n', [])))).toBeUndefined();
  expect(labelsOf(readFileSync('/bin/bash'))).toBeUndefined();
  // Says that it is AArch64's.
  const other = readFileSync(build('other', labelled, []));
  other.writeUInt16LE(183, 18);
  expect(labelsOf(other)).toBeUndefined();
});

test('no damage to a program makes the reader throw or believe an offset that cannot be one', () => {
  const valid = readFileSync(build('damaged', labelled, ['-ldflags=-s -w']));
  const random = randomNumbers(11);
  const used = Array.from(valid.keys()).filter((at) => valid[at] !== 0);
  const copy = Uint8Array.from(valid);
  for (let round = 0; round < 60; round++) {
    const damaged = Array.from({ length: 2000 }, () => used[Math.floor(random() * used.length)] ?? 0);
    for (const byte of damaged) copy[byte] = Math.floor(random() * 256);
    const elf = readElfFile(new BufferSource(copy));
    const labels = elf.ok ? readGoLabels(elf.value) : undefined;
    const value = labels?.ok === true ? labels.value : undefined;
    const { threadOffset = -8, threadOf = 8, current = 8, labels: at = 8 } = value === 'unknown' ? {} : (value ?? {});
    const offsets = [-threadOffset, threadOf, current, at];
    expect(offsets.filter((offset) => offset % 8 !== 0 || offset <= 0 || offset > 65_528)).toEqual([]);
    for (const byte of damaged) copy[byte] = valid[byte] ?? 0;
  }
  for (let length = 0; length < valid.length; length += 9973) {
    const elf = readElfFile(new BufferSource(valid.subarray(0, length)));
    if (elf.ok) readGoLabels(elf.value);
  }
});
