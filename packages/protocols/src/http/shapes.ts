/** What the schemas of several routes are made of. */
import { type TSchema, Type } from 'typebox';

export const strict = { additionalProperties: false } as const;

/** A 64-bit integer in decimal. */
export const Int64 = Type.String({ pattern: '^-?[0-9]{1,19}$', description: 'int64 in decimal' });
/** Parallel columns of one table all have the same length. */
export const column = <T extends TSchema>(item: T, description: string) => Type.Array(item, { description });
export const Labels = Type.Record(Type.String(), Type.String());
export const UnixMs = Type.Number({ description: 'Unix time in milliseconds' });

export const nullable = <T extends TSchema>(type: T, description: string) =>
  Type.Union([type, Type.Null()], { description });

export const RangeQuery = {
  from: Type.Optional(
    Type.String({ description: 'RFC 3339, Unix milliseconds, or relative (now-1h). Default now-1h' }),
  ),
  until: Type.Optional(Type.String({ description: 'as from; exclusive. Default now' })),
};
export const SelectorQuery = {
  query: Type.Optional(
    Type.String({
      description: 'profile type and selector: process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="api"}',
    }),
  ),
  ...RangeQuery,
};

/** Each side is `query`, `from`, `until` unless it says otherwise. */
export const SidesQuery = {
  before_query: SelectorQuery.query,
  before_from: RangeQuery.from,
  before_until: RangeQuery.until,
  after_query: SelectorQuery.query,
  after_from: RangeQuery.from,
  after_until: RangeQuery.until,
};
