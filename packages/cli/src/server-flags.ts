import type { Option } from 'commander';
import { option } from './option.ts';
import { parseBytes, parseListen, parseRetention, type RetentionAges } from './parse.ts';

export interface ServerFlags {
  readonly listen: { readonly host: string; readonly port: number };
  readonly dataDir: string;
  readonly maxProfileBytes: number;
  readonly retention?: RetentionAges;
  readonly retentionSize?: number;
}

/** Options that `up` and `server` share. */
export function serverOptions(): Option[] {
  return [
    option('--listen <host:port>', 'address to listen on')
      .default({ host: '127.0.0.1', port: 4099 }, '127.0.0.1:4099')
      .argParser(parseListen),
    dataDirOption(),
    option('--max-profile-bytes <size>', 'largest profile accepted, decompressed')
      .default(64 * 2 ** 20, '64MiB')
      .argParser(parseBytes),
    option(
      '--retention <age>',
      'delete profiles older than this, for example 30d, without it none; of some series: \'{service_name="batch"}=7d\' (repeatable, the first selector that fits decides)',
    ).argParser(parseRetention),
    option('--retention-size <size>', 'delete the oldest profiles while there are more bytes than this').argParser(
      parseBytes,
    ),
  ];
}

export function dataDirOption(): Option {
  return option('--data-dir <dir>', 'where profiles are kept').default('./data');
}
