/** What the HTTP thread and a reader's thread say to each other. */
import type { Problem } from '../problem.ts';
import type { BudgetLimits } from './budget.ts';
import type { Parameters } from './parameters.ts';

export interface QueryWorkerData {
  readonly dataDir: string;
  readonly budget: BudgetLimits;
}

/** A question by the name of its route, see `read-worker.ts`. */
export interface Question {
  readonly kind: string;
  readonly parameters: Parameters;
  readonly nowMs: number;
}

/** What is sent to the client as it is: made in the reader's thread, so that the HTTP thread has nothing left to do. */
export interface Reply {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Set for a download. */
  readonly fileName?: string;
}

export type QueryRequest =
  | {
      readonly id: number;
      readonly question: Question;
      /** It is of all services; only one thread gets such questions. */
      readonly isWide: boolean;
      /** One shared word that becomes 1 when nobody waits for the answer any more. */
      readonly cancelled: Int32Array<SharedArrayBuffer>;
    }
  | { readonly kind: 'close' };

export type QueryReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'answer'; readonly id: number; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly id: number; readonly problem: Problem };

const encoder = new TextEncoder();

export function jsonReply(value: unknown): Reply {
  return { contentType: 'application/json; charset=utf-8', body: encoder.encode(JSON.stringify(value)) };
}

export function textReply(text: string, fileName?: string): Reply {
  const reply = { contentType: 'text/plain; charset=utf-8', body: encoder.encode(text) };
  return fileName === undefined ? reply : { ...reply, fileName };
}
