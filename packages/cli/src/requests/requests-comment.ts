import type { Profile } from '@everflame/profile';

/**
 * pprof has no fields for these; its comments stay when other tools write the file anew. A merge keeps equal comments once: the time of the recording (Unix ns)
 * makes those of two recordings two.
 */
const requestsComment = /^everflame: requests (?<count>[0-9]{1,15}(?:\.[0-9]{1,3})?)(?: at [0-9]{1,19})?$/;
const runComment = /^everflame: run of a command(?: at [0-9]{1,19})?$/;

/** The profile with the number of requests that were served while it was recorded. */
export function withRequests(profile: Profile, requests: number): Profile {
  return withComment(profile, `requests ${Number(requests.toFixed(3))}`);
}

/** Null when nobody counted them. */
export function requestsOf({ comments }: Profile): number | null {
  const counts = comments.flatMap((text) => requestsComment.exec(text)?.groups?.['count'] ?? []);
  return counts.length === 0 ? null : counts.reduce((sum, text) => sum + Number(text), 0);
}

/** The profile of a command, from its start to its end: what it used is what a run costs. */
export function asRun(profile: Profile): Profile {
  return withComment(profile, 'run of a command');
}

/** The runs in a profile, more than one where some were merged; null when it is of something else. */
export function runsOf({ comments }: Profile): number | null {
  const runs = comments.filter((text) => runComment.test(text)).length;
  return runs === 0 ? null : runs;
}

function withComment(profile: Profile, what: string): Profile {
  return { ...profile, comments: [...profile.comments, `everflame: ${what} at ${profile.timeNanos}`] };
}
