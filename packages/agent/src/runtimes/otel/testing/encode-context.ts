import protobuf from 'protobufjs/minimal.js';

type Attributes = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** A message opentelemetry.proto.processcontext.v1development.ProcessContext. */
export function encodeContext(resource: Attributes, own: Attributes): Uint8Array {
  const writer = protobuf.Writer.create();
  addAttributes(writer.uint32(tag(1)).fork(), 1, resource).ldelim();
  return addAttributes(writer, 2, own).finish();
}

const tag = (field: number): number => (field << 3) | 2;

function addAttributes(writer: protobuf.Writer, field: number, attributes: Attributes): protobuf.Writer {
  for (const [key, value] of Object.entries(attributes)) {
    writer.uint32(tag(field)).fork().uint32(tag(1)).string(key).uint32(tag(2)).fork();
    if (typeof value === 'object') {
      writer.uint32(tag(5)).fork();
      for (const each of value) addValue(writer.uint32(tag(1)).fork(), each).ldelim();
      writer.ldelim();
    } else addValue(writer, value);
    writer.ldelim().ldelim();
  }
  return writer;
}

/** AnyValue: `string_value` 1, `int_value` 3. */
function addValue(writer: protobuf.Writer, value: string | number): protobuf.Writer {
  return typeof value === 'string' ? writer.uint32(tag(1)).string(value) : writer.uint32(3 << 3).int64(value);
}
