import { decodeProfile } from '../codec/decode-profile.ts';
import { importCpuprofile } from './import-cpuprofile.ts';
import { importFolded, looksFolded } from './import-folded.ts';
import { importPerfScript, looksLikePerfScript } from './import-perf-script.ts';
import { type ImportResult, isRecord, refused } from './import-result.ts';
import { importSpeedscope } from './import-speedscope.ts';

export type ImportFormat = 'pprof' | 'folded' | 'perf script' | 'speedscope' | 'cpuprofile';
export type ImportedFile =
  | (Extract<ImportResult, { ok: true }> & { readonly format: ImportFormat })
  | { readonly ok: false; readonly message: string };

/**
 * Reads a file of any of the formats, told from its content. `bytes` are uncompressed. Time and memory are linear in them.
 */
export function importProfile(bytes: Uint8Array): ImportedFile {
  if (bytes.length === 0) return refused('it is empty') as ImportedFile;
  const content = textOf(bytes);
  if (content === null) {
    const result = decodeProfile(bytes);
    if (result.ok) return { ok: true, format: 'pprof', profile: result.profile, notes: [] };
    return refused(`it is no pprof file: ${result.error.message}`) as ImportedFile;
  }
  if (/^\s*[{[]/.test(content.slice(0, 1000))) return importJson(content);
  if (looksLikePerfScript(content)) return tagged(importPerfScript(content), 'perf script');
  if (looksFolded(content)) return tagged(importFolded(content), 'folded');
  return { ok: false, message: 'it is none of pprof, folded stacks, perf script, speedscope and cpuprofile' };
}

function importJson(content: string): ImportedFile {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, message: `it is no JSON: ${error.message}` };
    throw error;
  }
  if (isRecord(value) && 'shared' in value && 'profiles' in value) return tagged(importSpeedscope(value), 'speedscope');
  if (isRecord(value) && 'nodes' in value) return tagged(importCpuprofile(value), 'cpuprofile');
  return { ok: false, message: 'it is JSON, but of neither speedscope nor a cpuprofile' };
}

function tagged(result: ImportResult, format: ImportFormat): ImportedFile {
  return result.ok ? { ...result, format } : { ok: false, message: `as ${format}: ${result.message}` };
}

/** Null for what is no text: a pprof message holds bytes that text does not. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.subarray(0, 4096).some((byte) => byte < 9 || (byte > 13 && byte < 32))) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null;
    throw error;
  }
}
