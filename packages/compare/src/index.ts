/** Public surface of this package. */
export const packageName = '@everflame/compare';
