import { useEffect, useState } from 'preact/hooks';
import { afterPaint } from './after-paint.ts';

/** The value, once what else came with it is on the screen: what it is drawn into then has a task of its own. Until then the value before it; null at first. */
export function useAfterPaint<T>(value: T | null): T | null {
  const [shown, setShown] = useState<T | null>(null);
  useEffect(() => {
    if (Object.is(shown, value)) return undefined;
    return afterPaint(() => setShown(() => value));
  }, [value]);
  return shown;
}
