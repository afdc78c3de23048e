import { drawnProfile, postProfile, seededRandom, shopStacks } from './drawn-fleet.ts';

const minuteMs = 60_000;

interface Release {
  readonly service: string;
  readonly hosts: number;
  /** Of the last ones, how many get 1.1.0 after half of the time; the others stay with 1.0.0. */
  readonly updated: number;
  readonly minutes: number;
}

/** A service of the drawn shop's stacks on several hosts, of which some are brought to version 1.1.0. */
export async function postRelease(
  server: string,
  { service, hosts, updated, minutes }: Release,
  nowMs = Date.now(),
): Promise<void> {
  const random = seededRandom(11);
  const last = Math.floor(nowMs / minuteMs) * minuteMs;
  for (let ago = minutes; ago >= 1; ago--) {
    const posts = Array.from({ length: hosts }, async (_, host) => {
      const version = ago <= minutes / 2 && host >= hosts - updated ? '1.1.0' : '1.0.0';
      const labels = { service_name: service, service_version: version, host_name: `host-${host}` };
      const process = { labels, pid: 4100 + host, thread: 'node', stacks: shopStacks(version) };
      await postProfile(server, drawnProfile(process, last - ago * minuteMs, 0.2, random), labels);
    });
    await Promise.all(posts);
  }
}
