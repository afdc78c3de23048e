/** Why a binary, a map or a table could not be used. `io` is the operating system's refusal, all others are the file's fault. */
export type BinaryErrorCode = 'not_elf' | 'truncated' | 'malformed' | 'too_large' | 'unsupported' | 'io';

export interface BinaryError {
  readonly code: BinaryErrorCode;
  /** One clause for a log line. */
  readonly detail: string;
}

export type BinaryResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: BinaryError };

/** Thrown inside of readers only; `asResult` turns it into a value at their public functions. */
export class BinaryFormatError extends Error {
  readonly code: BinaryErrorCode;

  constructor(code: BinaryErrorCode, detail: string) {
    super(detail);
    this.name = 'BinaryFormatError';
    this.code = code;
  }
}

/**
 * Runs a reader of untrusted bytes. What the bytes or the operating system did wrong becomes a value; anything else is a
 * bug of the reader and is thrown on.
 */
export function asResult<T>(read: () => T): BinaryResult<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof BinaryFormatError) return { ok: false, error: { code: error.code, detail: error.message } };
    if (isSystemError(error)) return { ok: false, error: { code: 'io', detail: `${error.code}: ${error.message}` } };
    throw error;
  }
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
