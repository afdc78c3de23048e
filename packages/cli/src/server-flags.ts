import type { Option } from 'commander';
import type { SourceRoot, Webhook } from '@everflame/server';
import { option } from './option.ts';
import { parseBytes, parseDurationMs, parseListen, parseUrl } from './parse.ts';
import { parseRetention, type RetentionAges } from './parse-retention.ts';
import { addSourceRoot } from './parse-source-root.ts';
import { addWebhook } from './parse-webhook.ts';

export interface ServerFlags {
  readonly listen: { readonly host: string; readonly port: number };
  readonly dataDir: string;
  readonly maxProfileBytes: number;
  /** Milliseconds. */
  readonly maxQueryTime: number;
  readonly maxQueryBytes: number;
  readonly retention?: RetentionAges;
  readonly retentionSize?: number;
  readonly webhook?: readonly Webhook[];
  readonly publicUrl?: URL;
  readonly sourceRoot?: readonly SourceRoot[];
  /** Whether the server looks for findings. */
  readonly findings: boolean;
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
    option('--max-query-time <duration>', 'longest that one question may take')
      .default(30_000, '30s')
      .argParser(parseDurationMs),
    option('--max-query-bytes <size>', 'memory that one question may use for its columns')
      .default(2 ** 30, '1GiB')
      .argParser(parseBytes),
    option(
      '--retention <age>',
      'delete profiles older than this, for example 30d, without it none; of some series: \'{service_name="batch"}=7d\' (repeatable, the first selector that fits decides)',
    ).argParser(parseRetention),
    option('--retention-size <size>', 'delete the oldest profiles while there are more bytes than this').argParser(
      parseBytes,
    ),
    option(
      '--webhook <url[,option=value]>',
      'tell this address of findings; may be repeated. kind=json|slack|alertmanager|alertmanager-api, events=regressions|all, secret-env=NAME or secret-file=PATH for a signature',
    ).argParser(addWebhook),
    option(
      '--public-url <url>',
      'address of the page for links in messages; default: where the server listens',
    ).argParser(parseUrl),
    option(
      '--source-root <[prefix=]dir>',
      'let everybody who reaches the page read the source files of this folder, which profiles call the same, or PREFIX/…; may be repeated. Without it no file is read',
    ).argParser(addSourceRoot),
    option('--no-findings', 'do not compare new versions and look for changes by itself'),
  ];
}

export function dataDirOption(): Option {
  return option('--data-dir <dir>', 'where profiles are kept').default('./data');
}
