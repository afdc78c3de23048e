/** Public surface of this package. */
export { type Agent, type AgentOptions, type AgentStatus, startAgent } from './agent.ts';
export { LossCounters, lossCauses } from './health/counters.ts';
export { createShipper, type DiskShipper, type ShipperOptions, type ShipperStatus } from './shipping/create-shipper.ts';
export { DataDirectoryLockedError } from './shipping/data-directory-lock.ts';
export type { OutgoingProfile, Shipper } from './shipping/shipper.ts';
export { createIdentitySource, type IdentitySourceOptions } from './processes/identity/create-identity-source.ts';
export type { IdentitySource, SeriesLabels } from './processes/identity.ts';
export { type HealthServer, type HealthServerOptions, startHealthServer } from './health/start-health-server.ts';
export { createSymbolizer, type MeasuredSymbolizer, type SymbolizerOptions } from './symbols/create-symbolizer.ts';
export { checkHost, explainFailure, formatFinding, type HostFinding } from './kernel/check-host.ts';
export { LibbpfMissing } from './kernel/libbpf.ts';
export { SystemError } from './kernel/libc.ts';
export { ProgramRefused, type ProgramShape } from './kernel/sampling-program.ts';
export { record, RecordFailure, type Recording, type RecordOptions } from './record.ts';
export { runAgent, type RunAgentOptions, type RunningAgent } from './run-agent.ts';
