/**
 * Runs jobs, `lanes` of them at a time; answers what gives the result of one by its title, or throws what it threw. Compile before: what
 * blocks the event loop of one job delays the reading of another's samples.
 */
export async function atATime<T>(
  lanes: number,
  jobs: Readonly<Record<string, () => Promise<T>>>,
): Promise<(title: string) => T> {
  const waiting = Object.entries(jobs);
  const results = new Map<string, PromiseSettledResult<T>>();
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [title, job] = next;
      const [result] = await Promise.allSettled([job()]);
      results.set(title, result);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (title) => {
    const result = results.get(title);
    if (result === undefined) throw new Error(`no job is called ${title}`);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  };
}
