import { answer, buffersOf } from './worker-answer.ts';
import type { Asked, Told } from './worker-messages.ts';

/** Runs beside the page, so that it answers the user meanwhile. */
const worker = globalThis as unknown as {
  onmessage: (event: MessageEvent<Asked>) => void;
  postMessage: (told: Told, transfer?: ArrayBuffer[]) => void;
};

worker.onmessage = ({ data: { id, question } }) => {
  answer(question).then(
    (value) => worker.postMessage({ id, ok: true, value }, buffersOf(value)),
    (error: unknown) =>
      worker.postMessage({ id, ok: false, message: error instanceof Error ? error.message : String(error) }),
  );
};
