/** Where each thread of a process has the pointer to its OpenTelemetry context: see ef_process in bpf/abi.h. */
export type ThreadContextPlace =
  | { readonly kind: 'static'; readonly offset: number }
  | { readonly kind: 'dynamic'; readonly module: number; readonly offset: number };

/** What a process has published of itself (OTEP 4719), as far as it has been looked for. Those who look write it; all images of the process share it. */
export class ProcessContext {
  /** performance.now() of the next look. */
  nextLookMs: number;
  pauseMs: number;
  /** Where it is published; undefined while it is not known. */
  address: number | undefined;
  /** Of what was read last; a new one has another time. */
  publishedAtNs = 0n;
  /** Of its resource, for example `service.name`; what is no text is left out. */
  resource: ReadonlyMap<string, string> = new Map();
  /** Names of the attributes in its threads' contexts, by index; undefined where its threads publish none. */
  attributeNames: readonly string[] | undefined;
  place: ThreadContextPlace | undefined;
  /** What was wrong with it was counted. */
  isCounted = false;

  constructor(nextLookMs: number, pauseMs: number) {
    this.nextLookMs = nextLookMs;
    this.pauseMs = pauseMs;
  }
}
