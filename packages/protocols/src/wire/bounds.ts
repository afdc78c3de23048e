import protobuf from 'protobufjs/minimal.js';
import { WireFormatError } from './wire-format-error.ts';

/** What a message may hold, by field number. Fields that are not listed are not limited (nor kept by the decoders). */
export interface MessageBounds {
  readonly fields: Readonly<Record<number, FieldBounds>>;
}

export interface FieldBounds {
  /** For messages to people: `profiles`. */
  readonly name: string;
  /** How often the field may occur in one message. */
  readonly maxCount: number;
  /** For strings, bytes and messages: the longest allowed, in bytes. */
  readonly maxBytes?: number;
  /** For a message: what it may hold itself. */
  readonly message?: MessageBounds;
}

/**
 * Walks over the wire format without building anything, and refuses what breaks `bounds`. Done before decoding, because
 * a decoder makes an object for each two bytes of a hostile message (64 MB of empty messages would be gigabytes).
 *
 * @throws WireFormatError `malformed` or `too_large`
 */
export function checkBounds(bytes: Uint8Array, bounds: MessageBounds): void {
  walk(bytes, bounds, '');
}

function walk(bytes: Uint8Array, bounds: MessageBounds, path: string): void {
  const reader = protobuf.Reader.create(bytes);
  const counts = new Map<number, number>();
  try {
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      const number = tag >>> 3;
      const wireType = tag & 7;
      if (number === 0) throw new WireFormatError('malformed', path, 'not a protobuf message: field number 0');
      const field = bounds.fields[number];
      if (field === undefined || wireType !== 2) {
        reader.skipType(wireType, 0, number);
        continue;
      }
      const index = counts.get(number) ?? 0;
      const fieldPath = `${path === '' ? '' : `${path}.`}${field.name}${field.maxCount > 1 ? `[${index}]` : ''}`;
      if (index >= field.maxCount) {
        throw new WireFormatError('too_large', fieldPath, `more than ${field.maxCount} ${field.name} in one message`);
      }
      counts.set(number, index + 1);
      const value = reader.bytes();
      if (field.maxBytes !== undefined && value.length > field.maxBytes) {
        throw new WireFormatError(
          'too_large',
          fieldPath,
          `${value.length} bytes; at most ${field.maxBytes} are allowed`,
        );
      }
      if (field.message !== undefined) walk(value, field.message, fieldPath);
    }
  } catch (error) {
    throw asWireFormatError(error, path);
  }
}

/** What protobufjs throws at malformed input (RangeError, Error), as the typed error; a WireFormatError as it is. */
export function asWireFormatError(error: unknown, field: string): WireFormatError {
  if (error instanceof WireFormatError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new WireFormatError('malformed', field, `not a complete protobuf message: ${reason}`);
}
