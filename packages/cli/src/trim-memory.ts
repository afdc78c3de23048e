/**
 * What gives memory that malloc keeps, and pages of Node.js's own file, back to the system, for `ServerOptions.trimMemory`. It is loaded by the first call, so that a start does not wait for it; where the
 * C library has no such function nothing is done.
 */
export function trimMemory(): () => void {
  let loaded: Promise<() => void> | undefined;
  return () => {
    loaded ??= import('@everflame/agent/own-memory').then(
      ({ OwnMemory }) => {
        const memory = new OwnMemory();
        return () => memory.giveBack();
      },
      () => () => undefined,
    );
    void loaded.then((trim) => trim());
  };
}
