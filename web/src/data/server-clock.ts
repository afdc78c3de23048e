let offsetMs = 0;

/** The server's clock decides what "now" is; the browser's may be off. A Date header is whole seconds, so small differences are none. */
export function noteServerTime(dateHeader: string | null): void {
  const at = dateHeader === null ? Number.NaN : Date.parse(dateHeader);
  if (Number.isNaN(at)) return;
  const difference = at - Date.now();
  offsetMs = Math.abs(difference) > 5000 ? difference : 0;
}

/** Unix milliseconds by the server's clock. */
export function serverNow(): number {
  return Date.now() + offsetMs;
}
