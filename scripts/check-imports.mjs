// Checks the folder picture: every import between packages is in scripts/import-table.mjs, nobody reaches into another
// package's files, and the rooms of the agent and the server import in the direction that data flows.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { allowed, rooms, surfaces } from './import-table.mjs';
import { root } from './setup/paths.mjs';

const importPattern =
  /(?:import|export)\s+(?:type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|new URL\(\s*['"](\.[^'"]+)['"]/g;
const problems = [];
let files = 0;
let edges = 0;

function* sources(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'generated') continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|tsx)$/.test(entry.name)) yield path;
  }
}

for (const [part, mayImport] of Object.entries(allowed)) {
  const home = part === 'web' ? join(root, 'web') : join(root, 'packages', part);
  const src = join(home, 'src');
  for (const file of sources(src)) {
    files++;
    const isTest = /\.test\.tsx?$/.test(file);
    for (const match of readFileSync(file, 'utf8').matchAll(importPattern)) {
      // A URL of a file outside (the page, a manifest, an example) is not an import of its code.
      const isUrl = match[3] !== undefined && !/\.[mc]?tsx?$/.test(match[3]);
      const target = match[1] ?? match[2] ?? match[3];
      const where = relative(root, file);
      if (target.startsWith('@everflame/')) {
        edges++;
        const [, name, surface] = target.split('/');
        if (name !== part && !mayImport.includes(name))
          problems.push(`${where}: ${part} may not import ${name} (it may: ${mayImport.join(', ') || 'nothing'})`);
        const isPublic = surface === undefined || (surfaces[name]?.includes(surface) ?? false);
        if (!isPublic && !(isTest && surface === 'testing'))
          problems.push(`${where}: ${target}: import the package, its index.ts is its public surface`);
      } else if (target.startsWith('.')) {
        const resolved = resolve(dirname(file), target);
        if (!resolved.startsWith(home) && !isTest && !isUrl)
          problems.push(`${where}: ${target} leaves packages/${part}; import the package by its name`);
        const order = rooms[part];
        if (order === undefined || isTest) continue;
        const from = relative(src, file).split('/')[0];
        const to = relative(src, resolved).split('/')[0];
        const known = order[from];
        if (from !== to && known !== undefined && order[to] !== undefined && !known.includes(to)) {
          problems.push(`${where}: room ${from} may not import room ${to} (it may: ${known.join(', ') || 'none'})`);
        }
      }
    }
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  console.error(`\n${problems.length} imports against the table in scripts/import-table.mjs`);
  process.exit(1);
}
console.log(`imports: ${files} files, ${edges} imports between packages, all in the table`);
