// Profiles a small program with @datadog/pprof. Usage: node make.mjs DIRECTORY
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { heap, time } from '@datadog/pprof';

const directory = process.argv[2];

const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
const kept = [];

function burn(ms) {
  const until = Date.now() + ms;
  while (Date.now() < until) {
    fibonacci(18);
    createHash('sha256').update('everflame'.repeat(500)).digest('hex');
    kept.push(JSON.parse(JSON.stringify({ list: Array.from({ length: 20 }, (_, i) => `item ${i}`) })));
    if (kept.length > 2000) kept.length = 1000;
  }
}

async function sample(options) {
  const profiling = time.profile({ durationMillis: 1500, intervalMicros: 2000, ...options });
  for (let i = 0; i < 15; i++) {
    burn(100);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return profiling;
}

heap.start(32 * 1024, 64);
writeFileSync(join(directory, 'wall.pb.gz'), gzipSync((await sample({})).encode()));
writeFileSync(join(directory, 'wall-lines.pb.gz'), gzipSync((await sample({ lineNumbers: true })).encode()));
writeFileSync(join(directory, 'heap.pb.gz'), gzipSync(heap.profile().encode()));
heap.stop();
