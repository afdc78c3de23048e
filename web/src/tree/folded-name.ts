/** `;` ends a frame and a line break a stack; the format has no escapes for them. */
export function foldedName(name: string): string {
  return name.replaceAll(';', ':').replaceAll(/[\r\n]+/gu, ' ');
}
