import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of times in /proc/PID/stat: 100 on every architecture that Everflame runs on. */
const tickNs = 10_000_000n;
/** Fork record and /proc differ by scheduling and rounding; a PID comes back after 32,768 forks at the soonest. */
const toleranceNs = 1_000_000_000n;

/**
 * Tells whether /proc/PID is still the process that was forked at a time, and not a later one under its PID. The two clocks
 * differ: records are in CLOCK_MONOTONIC, /proc is in CLOCK_BOOTTIME, which also runs while the machine sleeps.
 */
export class StartTimeCheck {
  readonly #procRoot: string;
  #bootAheadNs: bigint;

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
    this.#bootAheadNs = this.#readBootAheadNs();
  }

  /** True also where it cannot be told: for processes found by a scan (0n), and when /proc does not say. */
  isSame(pid: number, startTimeNs: bigint): boolean {
    if (startTimeNs === 0n) return true;
    const startBootNs = this.#startBootNs(pid);
    if (startBootNs === undefined) return true;
    if (this.#isNear(startBootNs, startTimeNs)) return true;
    // Perhaps the machine has slept since.
    this.#bootAheadNs = this.#readBootAheadNs();
    return this.#isNear(startBootNs, startTimeNs);
  }

  #isNear(startBootNs: bigint, startTimeNs: bigint): boolean {
    const difference = startBootNs - this.#bootAheadNs - startTimeNs;
    return difference > -toleranceNs && difference < toleranceNs;
  }

  #startBootNs(pid: number): bigint | undefined {
    const stat = readIfThere(`${this.#procRoot}/${pid}/stat`);
    if (stat === undefined) return undefined;
    // Field 22; the second is the command in parentheses, which may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 20)[19];
    return ticks !== undefined && /^\d{1,19}$/.test(ticks) ? BigInt(ticks) * tickNs : undefined;
  }

  #readBootAheadNs(): bigint {
    const uptime = readIfThere(`${this.#procRoot}/uptime`);
    const [, seconds, hundredths] = /^(\d{1,12})\.(\d{2}) /.exec(uptime ?? '') ?? [];
    if (seconds === undefined || hundredths === undefined) return 0n;
    return BigInt(seconds) * 1_000_000_000n + BigInt(hundredths) * 10_000_000n - process.hrtime.bigint();
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw error;
  }
}
