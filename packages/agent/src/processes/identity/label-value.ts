/** In characters; beyond it a value is cut. */
const maxLength = 256;

/** A value from outside as a label's value: one trimmed line of well-formed Unicode, at most 256 characters; '' when nothing is left. */
export function labelValue(text: string): string {
  const line = text
    .slice(0, maxLength * 2)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return line.slice(0, maxLength).toWellFormed();
}
