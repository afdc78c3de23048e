import { Option } from 'commander';

/**
 * An option of the command line. Every flag can be set by an environment variable as well: `--data-dir` by
 * `EVERFLAME_DATA_DIR`. The flag wins.
 */
export function option(flags: string, description: string): Option {
  const made = new Option(flags, description);
  return made.env(`EVERFLAME_${made.name().replace(/^no-/, 'no_').replaceAll('-', '_').toUpperCase()}`);
}
