import { answer, buffersOf } from './worker-answer.ts';
import type { Asked, Told } from './worker-messages.ts';

/** What a dedicated worker has; the page's own types do not know of it. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Asked>) => void): void;
  postMessage(told: Told, options: { readonly transfer: ArrayBuffer[] }): void;
}

/** Runs beside the page, so that it answers the user meanwhile. */
const scope = globalThis as unknown as WorkerScope;

scope.addEventListener('message', ({ data: { id, question } }) => {
  answer(question).then(
    (value) => scope.postMessage({ id, ok: true, value }, { transfer: buffersOf(value) }),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      scope.postMessage({ id, ok: false, message }, { transfer: [] });
    },
  );
});
