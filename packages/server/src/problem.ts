/** What is answered instead of what was asked: RFC 9457, without the parts that follow from these. */
export interface Problem {
  readonly status: number;
  /** Stable; callers branch on it. */
  readonly code: string;
  /** Says what is wrong and what to do. */
  readonly detail: string;
  /** The parameter or the profile field at fault. */
  readonly field?: string;
}

/** An expected failure on its way to the one who asked. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(status: number, code: string, detail: string, field?: string) {
    super(detail);
    this.name = 'Refused';
    this.problem = field === undefined ? { status, code, detail } : { status, code, detail, field };
  }
}

/** A fault of ours. `detail` is for the log; the client is told that there is one. */
export function bugOf(error: unknown): Problem {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: 500, code: 'bug', detail };
}
