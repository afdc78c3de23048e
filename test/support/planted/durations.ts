/** `npm run test:stacks` runs for as long as it takes to tell small faults from chance; `npm test` shows that nothing is broken. */
export const isFullRun = process.env['EVERFLAME_STACKS_FULL'] === '1';

/** The seconds of a test: in `npm test`, and in `npm run test:stacks`. */
export function seconds(short: number, full: number): number {
  return isFullRun ? full : short;
}
