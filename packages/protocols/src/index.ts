export * as http from './http/schemas.ts';
export {
  decodeWriteRequest,
  encodeWriteRequest,
  type WriteAgent,
  type WriteCounter,
  writeEndpoint,
  type WriteProfile,
  type WriteRequest,
  writeRequestLimits,
  writeRequestVersion,
} from './everflame/write-request.ts';
export { WireFormatError, type WireFormatErrorCode } from './wire/wire-format-error.ts';
