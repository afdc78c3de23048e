/** Public surface of this package. */
export { LossCounters, lossCauses } from './health/counters.ts';
export { createShipper, type DiskShipper, type ShipperOptions, type ShipperStatus } from './shipping/create-shipper.ts';
export { DataDirectoryLockedError } from './shipping/data-directory-lock.ts';
export type { OutgoingProfile, Shipper } from './shipping/shipper.ts';
export { createIdentitySource, type IdentitySourceOptions } from './processes/identity/create-identity-source.ts';
export type { IdentitySource, SeriesLabels } from './processes/identity.ts';
export { type HealthServer, type HealthServerOptions, startHealthServer } from './health/start-health-server.ts';
