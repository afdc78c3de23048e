export { Random } from './random.ts';
export { type FleetModel, type FleetOptions, SimulatedFleet, type WindowOptions } from './simulated-fleet.ts';
