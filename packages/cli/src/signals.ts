/**
 * A signal so soon after the first is the same wish: npm passes on what a terminal or a service manager has sent to the
 * whole process group already, and a closing terminal sends SIGHUP right after.
 */
const repeatMs = 1000;

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. The next one, a second later or more, ends the process at once. */
export function onceSignalled(): Promise<NodeJS.Signals> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of signals) {
      process.on(signal, () => {
        const now = performance.now();
        if (firstAt !== undefined && now - firstAt >= repeatMs) process.exit(130);
        firstAt ??= now;
        resolve(signal);
      });
    }
  });
}
