/** What a process needs that makes profiles and reads none, without filters, views and what they load. */
export { type LabelInput, ProfileBuilder, type ProfileHeader } from './build/profile-builder.ts';
export { encodeProfile } from './codec/encode-profile.ts';
export type { Profile } from './profile.ts';
