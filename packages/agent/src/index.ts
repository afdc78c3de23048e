/** Public surface of this package. */
export const packageName = '@everflame/agent';
export { LossCounters, lossCauses } from './health/counters.ts';
export { createShipper, type DiskShipper, type ShipperOptions, type ShipperStatus } from './shipping/create-shipper.ts';
export { DataDirectoryLockedError } from './shipping/data-directory-lock.ts';
export type { OutgoingProfile, Shipper } from './shipping/shipper.ts';
