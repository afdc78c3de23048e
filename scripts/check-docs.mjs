// Documents name only what exists: each path in backticks that starts with a folder of the repository, and each `npm run NAME`.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/paths.mjs';

const docs = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...(existsSync(join(root, 'docs'))
    ? readdirSync(join(root, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => join('docs', name))
    : []),
];
const folders = 'bpf|packages|web|test|scripts|examples|docs|tools|\\.ci';
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const problems = [];
for (const doc of docs) {
  const text = readFileSync(join(root, doc), 'utf8');
  for (const [, path] of text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g'))) {
    if (!existsSync(join(root, path)) && path !== 'tools/node_modules' && path !== 'web/dist')
      problems.push(`${doc}: ${path} does not exist`);
  }
  for (const [, path] of text.matchAll(/\]\(((?!https?:|#)[^)#]+)[^)]*\)/g)) {
    if (!existsSync(join(root, doc.startsWith('docs/') ? 'docs' : '', path)))
      problems.push(`${doc}: link to ${path} leads nowhere`);
  }
  for (const [, name] of text.matchAll(/`npm run ([\w:-]+)/g))
    if (!(name in scripts)) problems.push(`${doc}: there is no npm run ${name}`);
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`docs: ${docs.length} documents, every path, link and command exists`);
