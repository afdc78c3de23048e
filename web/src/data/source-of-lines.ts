import type { FunctionLines } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { Answer } from './api.ts';

/** Where the lines of a function, and their text, come from. */
export interface SourceOfLines {
  readonly load: (name: string, signal: AbortSignal) => Promise<Answer<FunctionLines>>;
  /** Null where nobody has the text. */
  readonly text: TextOfLines | null;
}

export type TextOfLines = (
  file: string,
  first: number,
  last: number,
  signal: AbortSignal,
) => Promise<Answer<http.SourceAnswer>>;

export function functionLinesOf(answer: http.LinesAnswer): FunctionLines {
  const { self, total, samples, selfSamples } = answer.function;
  return {
    function: { self: BigInt(self), total: BigInt(total), samples, selfSamples },
    lines: answer.lines.map((one) => ({
      ...one,
      line: BigInt(one.line),
      self: BigInt(one.self),
      total: BigInt(one.total),
    })),
  };
}
