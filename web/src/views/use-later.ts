import { useEffect, useState } from 'preact/hooks';
import { afterPaint } from './after-paint.ts';

export interface Later<T> {
  readonly value: T;
  /** What `value` is made of has changed, the new one is not there yet. */
  readonly isBehind: boolean;
}

/** How long work may hold the page at a time. */
const sliceMs = 20;

/**
 * What takes long on big trees is made after the picture is drawn, in slices between which the page lives on; `isSmall`: at once.
 * `make` yields where it may pause.
 */
export function useLater<T>(
  make: () => Generator<undefined, T>,
  first: T,
  inputs: readonly unknown[],
  isSmall: boolean,
): Later<T> {
  const [state, setState] = useState<{ inputs: readonly unknown[]; value: T }>({ inputs: [], value: first });
  const isCurrent = same(state.inputs, inputs);
  const now = isSmall && !isCurrent ? { value: untilDone(make()) } : null;
  useEffect(() => {
    if (isCurrent) return undefined;
    if (now !== null) {
      setState({ inputs, value: now.value });
      return undefined;
    }
    const steps = make();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slice = () => {
      const end = performance.now() + sliceMs;
      let step = steps.next();
      while (step.done !== true && performance.now() < end) step = steps.next();
      if (step.done === true) setState({ inputs, value: step.value });
      else timer = setTimeout(slice, 0);
    };
    const cancel = afterPaint(slice);
    return () => {
      cancel();
      clearTimeout(timer);
    };
  }, inputs);
  return { value: now === null ? state.value : now.value, isBehind: now === null && !isCurrent };
}

function untilDone<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, index) => Object.is(one, b[index]));
}
