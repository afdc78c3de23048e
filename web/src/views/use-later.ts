import { useEffect, useState } from 'preact/hooks';

export interface Later<T> {
  readonly value: T;
  /** What `value` is made of has changed, the new one is not there yet. */
  readonly isBehind: boolean;
}

/**
 * What takes long on big trees is made in a task of its own after the picture is drawn, so that no task holds the page for
 * long; `isSmall`: at once.
 */
export function useLater<T>(make: () => T, first: T, inputs: readonly unknown[], isSmall: boolean): Later<T> {
  const [state, setState] = useState<{ inputs: readonly unknown[]; value: T }>({ inputs: [], value: first });
  const isCurrent = same(state.inputs, inputs);
  const now = isSmall && !isCurrent ? make() : null;
  useEffect(() => {
    if (isCurrent) return undefined;
    if (now !== null) {
      setState({ inputs, value: now });
      return undefined;
    }
    // After the next frame is painted.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => setState({ inputs, value: make() }), 0);
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, inputs);
  return { value: now ?? state.value, isBehind: now === null && !isCurrent };
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, index) => Object.is(one, b[index]));
}
