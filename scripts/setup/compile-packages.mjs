// Loads the command and the named packages, so that Node.js writes them to NODE_COMPILE_CACHE when this process ends.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const packages = process.argv.slice(2);
const filesOf = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing\//.test(name))
    .map((name) => join(folder, name));
// main.ts runs when it is loaded; this is the shortest that it can do.
process.argv = [process.argv[0], join(root, 'packages', 'cli', 'src', 'main.ts'), 'version'];
const files = [process.argv[1], ...filesOf(join(root, 'packages', 'cli', 'src'))];
for (const name of packages) files.push(...filesOf(join(root, 'packages', name, 'src')));
// Those that are the code of a worker thread throw, after they were compiled.
const loaded = await Promise.allSettled(files.map((file) => import(file)));
const isThread = (file) => /-(worker|thread)\.ts$/.test(file);
const failed = loaded.filter(({ status }, i) => status === 'rejected' && !isThread(files[i]));
for (const { reason } of failed) console.error(reason);
process.exit(failed.length === 0 ? 0 : 1);
