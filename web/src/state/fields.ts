/** One parameter of the URL. `format` gives null for the default, which is then left out. */
export interface Field<T> {
  readonly parse: (text: string | null) => T;
  readonly format: (value: T) => string | null;
}

export function text(fallback: string): Field<string> {
  return { parse: (given) => given ?? fallback, format: (value) => (value === fallback ? null : value) };
}

/** What is not one of the choices reads as the first of them. */
export function choice<const C extends readonly [string, ...string[]]>(choices: C): Field<C[number]> {
  return {
    parse: (given) => choices.find((one) => one === given) ?? choices[0],
    format: (value) => (value === choices[0] ? null : value),
  };
}

/** A whole number from 1 to 9,999; what is none reads as not given. */
export function count(): Field<string> {
  return {
    parse: (given) => (given !== null && /^[1-9][0-9]{0,3}$/u.test(given) ? given : ''),
    format: (value) => (value === '' ? null : value),
  };
}

export type Schema = Readonly<Record<string, Field<never>>>;
export type StateOf<S> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/** The state of a page and the query string that says the same. */
export interface UrlState<State> {
  readonly parse: (search: string) => State;
  /** Without `?`, parameters in the order of the schema. */
  readonly format: (state: State) => string;
}

export function urlState<S extends Readonly<Record<string, unknown>>>(schema: S): UrlState<StateOf<S>> {
  const fields = Object.entries(schema) as [string, Field<unknown>][];
  return {
    parse(search) {
      const given = new URLSearchParams(search);
      return Object.fromEntries(fields.map(([name, field]) => [name, field.parse(given.get(name))])) as StateOf<S>;
    },
    format(state) {
      const params = new URLSearchParams();
      for (const [name, field] of fields) {
        const value = field.format((state as Readonly<Record<string, unknown>>)[name]);
        if (value !== null) params.set(name, value);
      }
      return params.toString();
    },
  };
}
