import type { Readable } from 'node:stream';
import { Refused } from '../problem.ts';

/** How much of bodies is in memory at once: of those that are being received, and of those that wait to be stored. */
export class Intake {
  readonly #maxBytes: number;
  readonly #maxBodyBytes: number;
  #bytes = 0;

  constructor(maxBytes: number, maxBodyBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * Reads a body. What has come of it counts until `gone` resolves, so that a sender who is slow holds no more than he sent.
   *
   * @throws Refused 413, and 429 when others hold too much. What comes then is thrown away, but it is read: a sender hears no answer
   * before it is done
   */
  async read(stream: Readable, gone: Promise<void>): Promise<Buffer> {
    let chunks: Buffer[] = [];
    let [seen, held] = [0, 0];
    let refusal: Refused | null = null;
    const release = () => {
      this.#bytes -= held;
      held = 0;
      chunks = [];
    };
    void gone.then(release);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      seen += chunk.length;
      if (seen > this.#maxBodyBytes) refusal = tooLarge(this.#maxBodyBytes);
      else if (this.#bytes + chunk.length > this.#maxBytes) refusal ??= busy();
      if (refusal === null) {
        held += chunk.length;
        this.#bytes += chunk.length;
        chunks.push(chunk);
        continue;
      }
      release();
      if (seen > this.#maxBodyBytes * patience) throw refusal;
    }
    if (refusal !== null) throw refusal;
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  }
}

/** Who sends so many times more than is taken is cut off. */
const patience = 4;

function tooLarge(maxBytes: number): Refused {
  const detail = `the body is larger than the ${maxBytes} bytes that this server takes: send smaller profiles, or raise the server's limit on bodies`;
  return new Refused(413, 'too_large', detail, 'body');
}

function busy(): Refused {
  return new Refused(429, 'busy', 'too much is being received or waits to be stored: send it again in a second');
}
