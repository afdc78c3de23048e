import protobuf from 'protobufjs';

/** The fields of google/pprof's proto/profile.proto, by their numbers and types there. */
const SCHEMA = `
syntax = "proto3";
package perftools.profiles;
message Profile {
  repeated ValueType sample_type = 1;
  repeated Sample sample = 2;
  repeated Mapping mapping = 3;
  repeated Location location = 4;
  repeated Function function = 5;
  repeated string string_table = 6;
  int64 drop_frames = 7;
  int64 keep_frames = 8;
  int64 time_nanos = 9;
  int64 duration_nanos = 10;
  ValueType period_type = 11;
  int64 period = 12;
  repeated int64 comment = 13;
  int64 default_sample_type = 14;
  int64 doc_url = 15;
}
message ValueType { int64 type = 1; int64 unit = 2; }
message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
message Label { int64 key = 1; int64 str = 2; int64 num = 3; int64 num_unit = 4; }
message Mapping {
  uint64 id = 1; uint64 memory_start = 2; uint64 memory_limit = 3; uint64 file_offset = 4; int64 filename = 5;
  int64 build_id = 6; bool has_functions = 7; bool has_filenames = 8; bool has_line_numbers = 9; bool has_inline_frames = 10;
}
message Location { uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; bool is_folded = 5; }
message Line { uint64 function_id = 1; int64 line = 2; int64 column = 3; }
message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; int64 start_line = 5; }
`;

/** An independent reader and writer of pprof messages. */
export const PprofMessage = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('perftools.profiles.Profile');

interface PlainValueType {
  readonly type: string;
  readonly unit: string;
}

/** A message as protobufjs reads it, numbers in decimal. */
export interface PlainProfile {
  readonly sample_type: readonly PlainValueType[];
  readonly sample: readonly {
    readonly location_id: readonly string[];
    readonly value: readonly string[];
    readonly label: readonly Readonly<Record<'key' | 'str' | 'num' | 'num_unit', string>>[];
  }[];
  readonly mapping: readonly (Readonly<
    Record<'id' | 'memory_start' | 'memory_limit' | 'file_offset' | 'filename' | 'build_id', string>
  > &
    Readonly<Record<'has_functions' | 'has_filenames' | 'has_line_numbers' | 'has_inline_frames', boolean>>)[];
  readonly location: readonly {
    readonly id: string;
    readonly mapping_id: string;
    readonly address: string;
    readonly line: readonly Readonly<Record<'function_id' | 'line' | 'column', string>>[];
    readonly is_folded: boolean;
  }[];
  readonly function: readonly Readonly<Record<'id' | 'name' | 'system_name' | 'filename' | 'start_line', string>>[];
  readonly string_table: readonly string[];
  readonly drop_frames: string;
  readonly keep_frames: string;
  readonly time_nanos: string;
  readonly duration_nanos: string;
  readonly period_type: PlainValueType | null;
  readonly period: string;
  readonly comment: readonly string[];
  readonly default_sample_type: string;
  readonly doc_url: string;
}

/** Reads a message; throws on what protobufjs does not accept. */
export function readPlain(bytes: Uint8Array): PlainProfile {
  const options = { longs: String, arrays: true, defaults: true };
  return PprofMessage.toObject(PprofMessage.decode(bytes), options) as PlainProfile;
}
