export type {
  FunctionTable,
  LabelSetTable,
  LocationTable,
  MappingTable,
  Profile,
  SampleTable,
  StackTable,
  ValueType,
} from './profile.ts';
export { type ProfileError, type ProfileErrorCode, ProfileFailure } from './profile-error.ts';
export { decodeProfile, type DecodeResult } from './codec/decode-profile.ts';
export type { DecodeLimits } from './codec/decode-limits.ts';
export { encodeProfile } from './codec/encode-profile.ts';
export { checkValid } from './check-valid.ts';
export {
  type FunctionInput,
  type LabelInput,
  type LineInput,
  type LocationInput,
  type MappingInput,
  ProfileBuilder,
  type ProfileHeader,
} from './build/profile-builder.ts';
