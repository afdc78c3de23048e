import { ProfileBuilder } from '../build/profile-builder.ts';
import {
  type ImportResult,
  ImportError,
  importing,
  isRecord,
  MAX_IMPORT_DEPTH,
  NamedFrames,
  samplesType,
  text,
} from './import-result.ts';

/** Factor to nanoseconds. */
const times: Readonly<Record<string, number>> = { nanoseconds: 1, microseconds: 1e3, milliseconds: 1e6, seconds: 1e9 };

/**
 * A file of speedscope (https://www.speedscope.app/file-format-schema.json), sampled and evented profiles, all with one unit.
 * Several profiles are told apart by the label `thread_name`. Weights are rounded to whole units. `value`: the parsed JSON.
 */
export function importSpeedscope(value: unknown): ImportResult {
  return importing(() => {
    if (!isRecord(value) || !isRecord(value['shared']) || !Array.isArray(value['profiles']))
      throw new ImportError('it has no shared frames and profiles');
    const shared: unknown = value['shared']['frames'];
    if (!Array.isArray(shared)) throw new ImportError('its shared.frames is no list');
    const profiles = value['profiles'].filter(isRecord);
    const units = new Set(profiles.map(({ unit }) => text(unit)));
    if (profiles.length === 0 || units.size !== 1)
      throw new ImportError(
        profiles.length === 0 ? 'it has no profiles' : `its profiles have different units: ${[...units].join(', ')}`,
      );
    const [unit = 'none'] = units;
    const factor = times[unit];
    const valueType =
      factor !== undefined
        ? { type: 'cpu', unit: 'nanoseconds' }
        : { type: 'weight', unit: unit === 'none' ? 'count' : unit };
    const builder = new ProfileBuilder({ sampleTypes: [samplesType, valueType] });
    const named = new NamedFrames(builder);
    const locations = shared.map((frame: unknown) => {
      if (!isRecord(frame) || typeof frame['name'] !== 'string') throw new ImportError('a shared frame has no name');
      const line = Number.isSafeInteger(frame['line']) ? Number(frame['line']) : 0;
      return named.location(frame['name'], text(frame['file']), line);
    });
    const rounded = { weights: 0 };
    const add = (stack: number, weight: number, labels: number) => {
      const exact = weight * (factor ?? 1);
      const whole = Math.round(exact);
      if (!Number.isSafeInteger(whole)) throw new ImportError(`a weight, ${weight}, is no number that can be kept`);
      if (Math.abs(whole - exact) > 1e-6) rounded.weights++;
      builder.add(stack, labels, [1n, BigInt(whole)]);
    };
    const locationOf = (row: unknown): number => {
      const location = locations[row as number];
      if (location === undefined)
        throw new ImportError(`frame ${String(row)} is not among the ${locations.length} shared ones`);
      return location;
    };
    for (const profile of profiles) {
      const labels =
        profiles.length === 1 ? 0 : builder.labelSet([{ key: 'thread_name', text: text(profile['name']) }]);
      if (profile['type'] === 'sampled')
        readSampled(profile, builder, locationOf, (stack, weight) => add(stack, weight, labels));
      else if (profile['type'] === 'evented')
        readEvented(profile, builder, locationOf, (stack, weight) => add(stack, weight, labels));
      else throw new ImportError(`a profile has the type ${String(profile['type'])}: sampled and evented are read`);
    }
    return {
      ok: true,
      profile: builder.build(),
      notes: rounded.weights > 0 ? ['Weights are rounded to whole numbers.'] : [],
    };
  });
}

type Record_ = Readonly<Record<string, unknown>>;

function readSampled(
  profile: Record_,
  builder: ProfileBuilder,
  locationOf: (row: unknown) => number,
  add: (stack: number, weight: number) => void,
): void {
  const { samples, weights } = profile;
  if (!Array.isArray(samples) || !Array.isArray(weights) || samples.length !== weights.length)
    throw new ImportError('a sampled profile has another number of weights than of samples');
  for (const [index, sample] of samples.entries()) {
    if (!Array.isArray(sample) || sample.length > MAX_IMPORT_DEPTH)
      throw new ImportError(`sample ${index} is no stack`);
    let stack = 0;
    for (const row of sample) stack = builder.stack(stack, locationOf(row));
    add(stack, Number(weights[index]));
  }
}

function readEvented(
  profile: Record_,
  builder: ProfileBuilder,
  locationOf: (row: unknown) => number,
  add: (stack: number, weight: number) => void,
): void {
  const { events } = profile;
  if (!Array.isArray(events)) throw new ImportError('an evented profile has no events');
  const open: { readonly frame: unknown; readonly stack: number }[] = [];
  let last = Number(profile['startValue'] ?? 0);
  for (const [index, event] of events.entries()) {
    if (!isRecord(event) || typeof event['at'] !== 'number' || event['at'] < last)
      throw new ImportError(`event ${index} is out of order`);
    const stack = open.at(-1)?.stack ?? 0;
    if (event['at'] > last && open.length > 0) add(stack, event['at'] - last);
    last = event['at'];
    if (event['type'] === 'O') {
      if (open.length >= MAX_IMPORT_DEPTH) throw new ImportError(`event ${index} opens too many frames`);
      open.push({ frame: event['frame'], stack: builder.stack(stack, locationOf(event['frame'])) });
    } else if (event['type'] !== 'C' || open.pop()?.frame !== event['frame']) {
      throw new ImportError(`event ${index} closes what is not open`);
    }
  }
  if (open.length > 0) throw new ImportError(`${open.length} frames are never closed`);
}
