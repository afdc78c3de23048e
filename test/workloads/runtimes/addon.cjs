// Calls addon.c, which calls back, which calls it: `node addon.cjs ADDON CPU_MS TRUTH`. TRUTH: what each part took of the thread's CPU, `name nanoseconds` a line.
'use strict';
const { writeFileSync } = require('node:fs');
const addon = require(process.argv[2]);

const spent = { native_before: 0, inScript: 0, native_leaf: 0 };

function inScript(turns) {
  let sum = 0;
  for (let n = 0; n < turns; n++) sum = (sum * 31 + n) | 0;
  return sum;
}

let entered = 0;

function callback() {
  const start = addon.cpuNs();
  inScript(4_000_000);
  const afterScript = addon.cpuNs();
  addon.leaf();
  const afterLeaf = addon.cpuNs();
  spent.native_before += start - entered;
  spent.inScript += afterScript - start;
  spent.native_leaf += afterLeaf - afterScript;
}

function outer(cpuMs) {
  const end = addon.cpuNs() + cpuMs * 1e6;
  do {
    entered = addon.cpuNs();
    addon.callBack(callback);
  } while (addon.cpuNs() < end);
}

outer(Number(process.argv[3]));
writeFileSync(
  process.argv[4],
  Object.entries(spent)
    .map(([name, ns]) => `${name} ${ns}\n`)
    .join(''),
);
