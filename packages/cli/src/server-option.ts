import type { Option } from 'commander';
import { option } from './option.ts';
import { parseUrl } from './parse.ts';

/** Which server to ask or to send to. */
export function serverOption(): Option {
  return option('--server <url>', 'URL of the server')
    .default(new URL('http://127.0.0.1:4099'), 'http://127.0.0.1:4099')
    .argParser(parseUrl);
}
