import type { http } from '@everflame/protocols';

/** Hues lie far apart for every common kind of colour blindness; lightness differs too, so that grey copies still tell. */
const kinds: Record<http.FrameKind, { light: number; dark: number; chroma: number; hue: number; spread: number }> = {
  root: { light: 0.9, dark: 0.33, chroma: 0.008, hue: 60, spread: 0 },
  group: { light: 0.86, dark: 0.38, chroma: 0.012, hue: 60, spread: 0 },
  native: { light: 0.835, dark: 0.47, chroma: 0.105, hue: 62, spread: 34 },
  jit: { light: 0.85, dark: 0.45, chroma: 0.075, hue: 172, spread: 24 },
  kernel: { light: 0.78, dark: 0.42, chroma: 0.07, hue: 274, spread: 16 },
  runtime: { light: 0.79, dark: 0.41, chroma: 0.035, hue: 62, spread: 30 },
  interpreted: { light: 0.87, dark: 0.5, chroma: 0.085, hue: 222, spread: 16 },
  inlined: { light: 0.91, dark: 0.54, chroma: 0.095, hue: 96, spread: 14 },
  unsymbolized: { light: 0.88, dark: 0.36, chroma: 0.004, hue: 60, spread: 0 },
};

export const kindNames: readonly (readonly [http.FrameKind, string])[] = [
  ['native', 'native code'],
  ['inlined', 'inlined into its callers'],
  ['runtime', 'runtime of a language'],
  ['jit', 'code compiled at run time'],
  ['interpreted', 'script'],
  ['kernel', 'kernel'],
  ['unsymbolized', 'without a name'],
];

/** Says in words what the colour says. */
export function kindName(kind: http.FrameKind): string {
  return kindNames.find(([one]) => one === kind)?.[1] ?? '';
}

/** `seed` (a binary's path or a function's name) shifts the hue a little, always the same way. */
export function kindColour(kind: http.FrameKind, seed: string, isDark: boolean): string {
  const { light, dark, chroma, hue, spread } = kinds[kind];
  const turn = spread === 0 || seed === '' ? 0 : (hash(seed) / 0xffffffff - 0.5) * spread;
  const shade = spread === 0 || seed === '' ? 0 : (hash(`${seed}#`) / 0xffffffff - 0.5) * 0.05;
  return `oklch(${((isDark ? dark : light) + shade).toFixed(3)} ${chroma} ${(hue + turn).toFixed(1)})`;
}

/** What the colours of a flame graph mean. */
export type Colouring = 'kind' | 'binary' | 'heat';

/** Six hues that stay apart for every common kind of colour blindness, in two lightnesses. */
const packageHues = [62, 248, 172, 300, 95, 20];

/** The same binary always has the same colour. */
export function binaryColour(binary: string, isDark: boolean): string {
  if (binary === '') return kindColour('unsymbolized', '', isDark);
  const code = hash(binary);
  const hue = packageHues[code % packageHues.length] ?? 62;
  const shade = ((code >>> 8) % 2) * 0.07;
  return `oklch(${((isDark ? 0.42 : 0.8) + shade).toFixed(3)} 0.09 ${hue})`;
}

/** One hue, the stronger the more of the time below is spent in the frame itself. `heat`: 0 to 1. */
export function heatColour(heat: number, isDark: boolean): string {
  const depth = Math.sqrt(Math.min(Math.max(heat, 0), 1));
  const lightness = isDark ? 0.34 + depth * 0.22 : 0.93 - depth * 0.25;
  return `oklch(${lightness.toFixed(3)} ${(0.02 + depth * 0.13).toFixed(3)} 45)`;
}

/** Blue for less, orange for more, grey between: told apart with every common kind of colour blindness. `tilt`: see tree/change.ts. */
export function changeColour(tilt: number, isDark: boolean): string {
  const strength = Math.min(Math.abs(tilt), 1);
  // A tenth of change is to be seen, twofold and more is full colour.
  const depth = strength < 0.02 ? 0 : Math.min(0.18 + strength * 1.15, 1);
  const hue = tilt > 0 ? 52 : 248;
  const lightness = isDark ? 0.38 + depth * (tilt > 0 ? 0.2 : 0.14) : 0.92 - depth * (tilt > 0 ? 0.2 : 0.26);
  return `oklch(${lightness.toFixed(3)} ${(depth * 0.145).toFixed(3)} ${hue})`;
}

export function mutedColour(isDark: boolean): string {
  return isDark ? 'oklch(0.33 0.004 60)' : 'oklch(0.93 0.004 60)';
}

const bandHues = [52, 248, 172, 300, 95, 220, 20, 140];

/** Colour of the `index`-th band of a chart; -1 is what is left over. */
export function bandColour(index: number, isDark: boolean): string {
  if (index < 0) return isDark ? 'oklch(0.5 0.005 60)' : 'oklch(0.76 0.005 60)';
  const hue = bandHues[index % bandHues.length] ?? 52;
  return isDark ? `oklch(0.68 0.12 ${hue})` : `oklch(0.68 0.13 ${hue})`;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}
