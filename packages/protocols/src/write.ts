/** What the agent ships, without the schemas of the HTTP API: those take 9 MB of memory that an agent does not need, and some MB in each thread of a server. */
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
export { versionSources } from './everflame/version-sources.ts';
export { WireFormatError, type WireFormatErrorCode } from './wire/wire-format-error.ts';
