export { Random } from './random.ts';
export { type FleetModel, type FleetOptions, SimulatedFleet, type WindowOptions } from './simulated-fleet.ts';
export { countsFromText, type TextCounts } from './counts-from-text.ts';
export { calibrate, type Calibration, type CalibrationOptions } from './calibration.ts';
