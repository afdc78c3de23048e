import { Option } from 'commander';

/**
 * An option of the command line. Every flag can be set by an environment variable as well: `--data-dir` by
 * `EVERFLAME_DATA_DIR`. The flag wins.
 */
export function option(flags: string, description: string): Option {
  const made = new Option(flags, description);
  return made.env(`EVERFLAME_${made.name().replace(/^no-/, 'no_').replaceAll('-', '_').toUpperCase()}`);
}

/** Of the commands that sample. */
export function runtimeFramesOption(): Option {
  return option(
    '--runtime-frames',
    "show the frames of interpreters themselves (V8's builtins and handlers, CPython's evaluation loop) beside the functions that they run",
  ).default(false);
}
