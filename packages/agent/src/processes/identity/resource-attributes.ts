/** Entries and characters beyond these are ignored: the variable is written by whoever starts a process. */
const maxEntries = 128;
const maxLength = 16_384;

/**
 * Reads `OTEL_RESOURCE_ATTRIBUTES`: `key1=value1,key2=value2`, values percent-encoded.
 * Source: OpenTelemetry specification, Resource SDK, "Specifying resource information via an environment variable".
 * It wants the whole variable discarded at the first error; here an entry that cannot be decoded is left out alone, so that
 * a stray `%` in one value does not cost the service its name. The first of equal keys wins.
 */
export function parseResourceAttributes(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const entry of text.slice(0, maxLength).split(',', maxEntries)) {
    const equals = entry.indexOf('=');
    if (equals <= 0) continue;
    const key = decode(entry.slice(0, equals).trim());
    const value = decode(entry.slice(equals + 1).trim());
    if (key !== undefined && value !== undefined && !attributes.has(key)) attributes.set(key, value);
  }
  return attributes;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
