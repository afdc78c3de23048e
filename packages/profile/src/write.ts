/** What a process needs that makes profiles and reads none: without filters, views and what they load, a fifth of all modules of the agent. */
export {
  type FunctionInput,
  type LabelInput,
  type LineInput,
  type LocationInput,
  type MappingInput,
  ProfileBuilder,
  type ProfileHeader,
} from './build/profile-builder.ts';
export { encodeProfile } from './codec/encode-profile.ts';
export { checkLabels, type Labels } from './labels/labels.ts';
export type { Profile } from './profile.ts';
