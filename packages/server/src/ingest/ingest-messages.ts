/** What the HTTP thread and the writer's thread say to each other. */
import type { Labels } from '@everflame/profile';
import type { Problem } from '../problem.ts';
import type { Mark } from '../storage/storage.ts';

/** What the writer's thread is started with. */
export interface IngestWorkerData {
  readonly dataDir: string;
  readonly maxProfileBytes: number;
  /** After so long without a profile what was stored becomes a block. */
  readonly restMs: number;
}

export type IngestJob =
  /** One pprof, compressed or not, with the labels of the request. */
  | { readonly kind: 'profile'; readonly body: Uint8Array; readonly labels: Labels; readonly nowMs: number }
  /** A WriteRequest of an agent, compressed or not. */
  | { readonly kind: 'write'; readonly body: Uint8Array; readonly nowMs: number }
  | { readonly kind: 'mark'; readonly mark: Mark };

export type IngestRequest = { readonly id: number; readonly job: IngestJob } | { readonly kind: 'close' };

/** What was stored. */
export interface Stored {
  readonly profiles: number;
  /** Names of the profiles, in order, each once. */
  readonly names: readonly string[];
  /** The batch had been stored before. */
  readonly repeated: boolean;
  /** Some profile did not say its time and got that of its arrival. */
  readonly timeIsArrival: boolean;
}

export type IngestReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'stored'; readonly id: number; readonly stored: Stored }
  | { readonly kind: 'refused'; readonly id: number; readonly problem: Problem }
  /** Nothing has come for a while. */
  | { readonly kind: 'resting' }
  | { readonly kind: 'closed' };
