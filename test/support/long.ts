/** `npm run test:long` asks for all of what `npm test`, which must end within a quarter of an hour, asks a part of. */
export const isLong = process.env['EVERFLAME_LONG'] === '1';
