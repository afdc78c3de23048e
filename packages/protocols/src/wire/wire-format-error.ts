/**
 * Why a message was refused. The codes are stable:
 * `malformed` not protobuf, or cut off; `too_large` over a limit; `unsupported_version` made by a newer (or no) version
 * of the format; `invalid` well-formed, but a field breaks its rule.
 */
export type WireFormatErrorCode = 'malformed' | 'too_large' | 'unsupported_version' | 'invalid';

/** A received message that is refused. `field` is its path, for example `profiles[3].labels`; '' for the whole message. */
export class WireFormatError extends Error {
  readonly code: WireFormatErrorCode;
  readonly field: string;

  constructor(code: WireFormatErrorCode, field: string, message: string) {
    super(message);
    this.name = 'WireFormatError';
    this.code = code;
    this.field = field;
  }
}
