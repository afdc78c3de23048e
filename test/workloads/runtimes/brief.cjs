// Starts a process of 200 ms when it has run for some time itself, again and again: `brief.cjs ROUNDS`.
const { spawnSync } = require('node:child_process');

function briefly() {
  const end = performance.now() + 150;
  let sum = 0;
  while (performance.now() < end) for (let n = 0; n < 10_000; n++) sum = (sum * 31 + n) | 0;
  return sum;
}

function atLength() {
  const end = process.cpuUsage().user + 1_500_000;
  let sum = 0;
  while (process.cpuUsage().user < end) for (let n = 0; n < 100_000; n++) sum = (sum * 31 + n) | 0;
  return sum;
}

if (process.argv[2] === 'child') {
  briefly();
} else {
  atLength();
  for (let round = 0; round < Number(process.argv[2]); round++) spawnSync(process.execPath, [__filename, 'child']);
}
