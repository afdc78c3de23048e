/** The embedded store without a server around it, for benchmarks. */
export { Maintenance } from '../embedded/maintenance.ts';
export { EmbeddedReader } from '../embedded/reader.ts';
export { EmbeddedWriter } from '../embedded/writer.ts';
export type { FunctionCounts, Selection } from '../storage.ts';
