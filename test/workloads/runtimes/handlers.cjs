// One operation of each kind a line, so that the interpreter's handler of a sample tells the line.
function spin(turns) {
  let sum = 1;
  for (let n = 0; n < turns; n++) {
    sum = sum ^ n;
    sum = sum & turns;
    sum = sum - n;
    sum = sum | n;
  }
  return sum;
}
while (process.cpuUsage().user < 3e6) spin(1_000_000);
