// Five functions with known shares of the CPU, called through what names get lost in: recursion, closures, methods, callbacks of native code, a long
// name and one beyond ASCII. `planted.cjs MILLISECONDS` uses about so much CPU; in a worker thread as well with `planted.cjs MILLISECONDS worker`.
// Lines at which time is spent are marked, so that a test can tell a wrong one.
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { deflateSync } = require('node:zlib');

const aVeryLongNameThatGoesOnAndOnUntilNobodyWantsToReadItAnyMoreBecauseItHasMoreThanOneHundredCharactersInIt = (turns) => {
  return work(turns); // line
};

function work(turns) {
  let sum = 0; // line
  for (let n = 0; n < turns; n++) { // line
    sum = (sum * 31 + n) | 0; // line
    sum ^= sum >>> 3; // line
  } // line
  return sum; // line
} // line

class Shop {
  renderInvoice(turns) {
    return work(turns); // line
  }
}
const shop = new Shop();

function alpha() {
  return shop.renderInvoice(80_000); // line
}
function beta() {
  return [50_000].map((turns) => work(turns))[0]; // line
}
function größe() {
  return aVeryLongNameThatGoesOnAndOnUntilNobodyWantsToReadItAnyMoreBecauseItHasMoreThanOneHundredCharactersInIt(36_000); // line
}
function delta() {
  return JSON.stringify({ toJSON: () => work(24_000) }); // line
}
function epsilon() {
  const turns = 10_000; // line
  const closure = () => work(turns);
  return closure(); // line
}
const planted = [alpha, beta, größe, delta, epsilon];

function level(depth) {
  if (depth > 0) return level(depth - 1) + 1; // line
  for (const each of planted) each(); // line
  return 0;
}

const text = Buffer.alloc(200_000, 'everflame ');
function zip() {
  return deflateSync(text).length; // line
}

function outer(until) {
  for (let round = 0; process.cpuUsage().user < until; round++) {
    level(round % 10 === 0 ? 200 : 20); // line
    if (round % 4 === 0) zip(); // line
  }
}

const until = 1000 * (isMainThread ? Number(process.argv[2]) : workerData);
if (isMainThread && process.argv[3] === 'worker') {
  new Worker(__filename, { workerData: Number(process.argv[2]) });
} else {
  outer(until);
}
