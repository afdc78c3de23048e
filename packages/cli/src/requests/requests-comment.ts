import type { Profile } from '@everflame/profile';

/** pprof has no fields for these; its comments stay when other tools write the file anew. */
const comment = /^everflame: requests ([0-9]{1,15}(?:\.[0-9]{1,3})?)$/;
const runComment = 'everflame: run of a command';

/** The profile with the number of requests that were served while it was recorded. */
export function withRequests(profile: Profile, requests: number): Profile {
  return { ...profile, comments: [...profile.comments, `everflame: requests ${Number(requests.toFixed(3))}`] };
}

/** Null when nobody counted them. */
export function requestsOf({ comments }: Profile): number | null {
  const counts = comments.flatMap((text) => comment.exec(text)?.[1] ?? []);
  return counts.length === 0 ? null : counts.reduce((sum, text) => sum + Number(text), 0);
}

/** The profile of a command, from its start to its end: what it used is what a run costs. */
export function asRun(profile: Profile): Profile {
  return { ...profile, comments: [...profile.comments, runComment] };
}

/** The runs in a profile, more than one where some were merged; null when it is of something else. */
export function runsOf({ comments }: Profile): number | null {
  const runs = comments.filter((text) => text === runComment).length;
  return runs === 0 ? null : runs;
}
