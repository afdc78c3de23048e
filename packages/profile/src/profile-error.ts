/** Stable names of what can be wrong with a profile; callers may branch on them. */
export type ProfileErrorCode =
  /** The input ends inside a field. */
  | 'truncated'
  /** The bytes are no protobuf message. */
  | 'not_protobuf'
  /** A known field has a wire type that it cannot have. */
  | 'wrong_wire_type'
  /** An index or id points at nothing. */
  | 'index_out_of_range'
  /** The string table is missing or does not begin with ''. */
  | 'string_table'
  | 'invalid_utf8'
  /** Two entries of a table have the same id. */
  | 'duplicate_id'
  /** A mapping, function or location has the id 0. */
  | 'reserved_id'
  /** A sample does not have one value for each sample type. */
  | 'value_count'
  | 'no_sample_types'
  /** More entries than the caller's limits allow. */
  | 'too_large'
  /** A `Profile` in memory breaks an invariant of its type. */
  | 'invariant'
  /** Profiles with different sample types or period types cannot be merged. */
  | 'incompatible'
  /** A sum does not fit a signed 64-bit integer. */
  | 'overflow';

/** What is wrong, where. An expected failure: returned, not thrown, except where a docstring says so. */
export interface ProfileError {
  readonly code: ProfileErrorCode;
  /** One sentence for people. */
  readonly message: string;
  /** Path of the field in pprof's words, e.g. `sample[3].location_id`; `''` when it is the whole profile. */
  readonly field: string;
  /** Byte offset in the input where reading stopped; 0 when the profile did not come from bytes. */
  readonly offset: number;
}

/** A `ProfileError` as an exception, for `ProfileBuilder` and the merge, whose callers seldom expect one. */
export class ProfileFailure extends Error implements ProfileError {
  override readonly name = 'ProfileFailure';
  readonly code: ProfileErrorCode;
  readonly field: string;
  readonly offset: number;

  constructor(code: ProfileErrorCode, message: string, field = '', offset = 0) {
    super(message);
    this.code = code;
    this.field = field;
    this.offset = offset;
  }

  /** The same as a plain value, without a stack trace. */
  toError(): ProfileError {
    return { code: this.code, message: this.message, field: this.field, offset: this.offset };
  }
}
