import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;

/** Asks until the answer is not undefined; fails with `what` after the time, which is generous: two cores are shared by all tests. */
export async function waitFor<Answer>(
  what: string,
  ask: () => Answer | undefined | Promise<Answer | undefined>,
  timeoutMs = 60_000,
): Promise<Answer> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await sleep(pollMs);
  }
}
