// Five functions with known shares of the CPU, called through what names get lost in: recursion, closures, methods, callbacks of native code, a long
// name and one beyond ASCII. `planted.cjs TRUTH MILLISECONDS` uses about so much CPU, in a worker thread with `worker` after it, and writes to the file
// TRUTH how many microseconds of CPU each function took.
const { Worker, isMainThread } = require('node:worker_threads');
const { writeFileSync } = require('node:fs');
const { deflateSync } = require('node:zlib');

const aVeryLongNameThatGoesOnAndOnUntilNobodyWantsToReadItAnyMoreBecauseItHasMoreThanOneHundredCharactersInIt = (
  turns,
) => {
  return work(turns);
};

function work(turns) {
  let sum = 0;
  for (let n = 0; n < turns; n++) {
    sum = (sum * 31 + n) | 0;
    sum ^= sum >>> 3;
  }
  return sum;
}

class Shop {
  renderInvoice(turns) {
    return work(turns);
  }
}
const shop = new Shop();

function alpha() {
  return shop.renderInvoice(80_000);
}
function beta() {
  return [50_000].map((turns) => work(turns))[0];
}
function größe() {
  return aVeryLongNameThatGoesOnAndOnUntilNobodyWantsToReadItAnyMoreBecauseItHasMoreThanOneHundredCharactersInIt(
    36_000,
  );
}
function delta() {
  return JSON.stringify({ toJSON: () => work(24_000) });
}
function epsilon() {
  const turns = 10_000;
  const closure = () => work(turns);
  return closure();
}
const planted = [alpha, beta, größe, delta, epsilon];
const totals = planted.map(() => 0);

function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function level(depth) {
  if (depth > 0) return level(depth - 1) + 1;
  for (let i = 0; i < planted.length; i++) {
    const before = cpu();
    planted[i]();
    totals[i] += cpu() - before;
  }
  return 0;
}

const text = Buffer.alloc(200_000, 'everflame ');
function zip() {
  return deflateSync(text).length;
}

function outer(until) {
  for (let round = 0; cpu() < until; round++) {
    level(round % 10 === 0 ? 200 : 20);
    if (round % 4 === 0) zip();
  }
}

const [, , truth, milliseconds, where] = process.argv;
if (isMainThread && where === 'worker') {
  const worker = new Worker(__filename, { argv: [truth, milliseconds] });
  worker.on('exit', (code) => process.exit(code));
} else {
  // Long enough for an agent that has never seen this program to make its tables: what it does until then is not the matter here.
  const warm = cpu() + 50_000;
  while (cpu() < warm);
  setTimeout(() => {
    outer(cpu() + 1000 * Number(milliseconds));
    writeFileSync(truth, planted.map(({ name }, i) => `${name} ${totals[i]}\n`).join(''));
  }, 2000);
}
