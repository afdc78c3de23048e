import { expect, test } from 'vitest';
import { programOf } from './command-line.ts';

/** `kind path module` of a command line whose first word is the executable's name. */
function drawn(line: string): string {
  const args = line.split(' ');
  const program = programOf(args[0] ?? '', args);
  if (program.kind === 'jar') return `jar ${program.jar}`;
  if (program.kind !== 'script') return program.kind;
  return `${program.language} ${program.script || '.'}${program.module === '' ? '' : ` (${program.module})`}`;
}

test.each([
  ['node server.js --port 80', 'javascript server.js'],
  ['node --enable-source-maps -r dotenv/config --import ./i.mjs dist/main.js', 'javascript dist/main.js'],
  ['nodejs --title x /srv/a.js', 'javascript /srv/a.js'],
  ['node -e console.log(1)', 'javascript .'],
  ['node /usr/lib/node_modules/npm/bin/npm-cli.js start', 'javascript .'],
  ['node', 'javascript .'],
  ['bun run index.ts', 'javascript index.ts'],
  ['deno run --allow-net file:///srv/main.ts', 'javascript /srv/main.ts'],
  ['python3.11 -X dev -m shop.worker -v', 'python . (shop)'],
  ['python3 -m gunicorn app:app', 'python .'],
  ['python3 /srv/venv/bin/gunicorn app:app', 'python .'],
  ['python3 /srv/venv/bin/shop-worker', 'python /srv/venv/bin/shop-worker (shop-worker)'],
  ['python3 -W ignore manage.py', 'python manage.py (manage)'],
  ['python3 -c print(1)', 'python .'],
  ['java -Xmx1g -jar /opt/shop.jar --x', 'jar /opt/shop.jar'],
  ['java -cp /conf:/opt/a.jar:/opt/b.jar com.example.Main', 'jar /opt/a.jar'],
  ['java com.example.Main', 'jar '],
  ['ruby bin/rails server', 'other bin/rails'],
  ['bash start.sh', 'launcher'],
  ['tini -- node server.js', 'launcher'],
  ['nginx -g daemon', 'native'],
])('%s', (line, expected) => {
  expect(drawn(line)).toBe(expected);
});
