import protobuf from 'protobufjs/minimal.js';

/** What a process says of itself. */
export interface ContextPayload {
  /** Of its resource. Values that are no text are left out. */
  readonly resource: ReadonlyMap<string, string>;
  /** Names of the attributes in its threads' contexts, by index; undefined where its threads publish none of a kind that is known. */
  readonly attributeNames: readonly string[] | undefined;
}

/** Attributes of a resource or a process; indices of threads' attributes are bytes. */
const mostAttributes = 256;
/** Of a key or a value, in bytes; longer ones are left out. */
const mostTextBytes = 4096;
const schemaKey = 'threadlocal.schema_version';
const namesKey = 'threadlocal.attribute_key_map';
/** OTEP 4947: while it is in development, and afterwards. */
const knownSchemas = new Set(['tlsdesc_v1_dev', 'tls_v1']);

type Attribute = string | readonly string[];

/**
 * Reads a message opentelemetry.proto.processcontext.v1development.ProcessContext: `resource` 1 with `attributes` 1, `attributes` 2. Undefined where it is
 * none.
 */
export function readContextPayload(bytes: Uint8Array): ContextPayload | undefined {
  try {
    const resource = new Map<string, Attribute>();
    const own = new Map<string, Attribute>();
    eachField(bytes, (field, value) => {
      if (field === 1) eachField(value, (inner, each) => inner === 1 && addAttribute(each, resource));
      else if (field === 2) addAttribute(value, own);
    });
    const schema = own.get(schemaKey);
    const names = own.get(namesKey) ?? [];
    const hasThreads = typeof schema === 'string' && knownSchemas.has(schema);
    return {
      resource: new Map([...resource].filter((each): each is [string, string] => typeof each[1] === 'string')),
      attributeNames: hasThreads && typeof names !== 'string' ? names : undefined,
    };
  } catch (error) {
    // What protobufjs throws at a message that is cut or is none.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Calls `visit` with the fields that are texts, bytes or messages. */
function eachField(bytes: Uint8Array, visit: (field: number, value: Uint8Array) => void): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === 2) visit(tag >>> 3, reader.bytes());
    else reader.skipType(tag & 7);
  }
}

/** KeyValue: `key` 1, `value` 2, an AnyValue: `string_value` 1, `array_value` 5 with `values` 1. */
function addAttribute(bytes: Uint8Array, attributes: Map<string, Attribute>): void {
  let key = '';
  let attribute: Attribute | undefined;
  eachField(bytes, (field, value) => {
    if (field === 1) key = textOf(value) ?? '';
    else if (field === 2) attribute = attributeOf(value);
  });
  if (key === '' || attribute === undefined || attributes.size >= mostAttributes || attributes.has(key)) return;
  attributes.set(key, attribute);
}

function attributeOf(bytes: Uint8Array): Attribute | undefined {
  let attribute: Attribute | undefined;
  eachField(bytes, (field, value) => {
    if (field === 1) attribute = textOf(value);
    else if (field === 5) attribute = textsOf(value);
  });
  return attribute;
}

/** What is no text keeps its place, empty. */
function textsOf(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  eachField(bytes, (field, value) => {
    if (field !== 1 || texts.length >= mostAttributes) return;
    let text: string | undefined;
    eachField(value, (inner, each) => {
      if (inner === 1) text = textOf(each);
    });
    texts.push(text ?? '');
  });
  return texts;
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > mostTextBytes) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
