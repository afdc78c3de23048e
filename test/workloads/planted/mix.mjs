// Node.js's part of the standard mix: thirty calls and five functions, until it is ended.
function work(turns) {
  let sum = 0;
  for (let n = 0; n < turns; n++) sum = (sum * 31 + n) | 0;
  return sum;
}

function plantedAlpha() {
  return work(80_000) + 1;
}
function plantedBeta() {
  return work(50_000) + 1;
}
function plantedGamma() {
  return work(36_000) + 1;
}
function plantedDelta() {
  return work(24_000) + 1;
}
function plantedEpsilon() {
  return work(10_000) + 1;
}

function level(depth) {
  if (depth > 0) return level(depth - 1) + 1;
  return plantedAlpha() + plantedBeta() + plantedGamma() + plantedDelta() + plantedEpsilon();
}

for (;;) level(30);
