import type { Profile } from '@everflame/profile';

/** pprof has no field for it; its comments stay when other tools write the file anew. */
const comment = /^everflame: requests ([0-9]{1,15}(?:\.[0-9]{1,3})?)$/;

/** The profile with the number of requests that were served while it was recorded. */
export function withRequests(profile: Profile, requests: number): Profile {
  return { ...profile, comments: [...profile.comments, `everflame: requests ${Number(requests.toFixed(3))}`] };
}

/** Null when nobody counted them. */
export function requestsOf({ comments }: Profile): number | null {
  const counts = comments.flatMap((text) => comment.exec(text)?.[1] ?? []);
  return counts.length === 0 ? null : counts.reduce((sum, text) => sum + Number(text), 0);
}
