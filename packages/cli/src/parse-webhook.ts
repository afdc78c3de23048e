import { readFileSync } from 'node:fs';
import type { Webhook, WebhookKind } from '@everflame/server';
import { InvalidArgumentError } from 'commander';
import { parseUrl } from './parse.ts';

/** As `webhookKinds` of the server, which is not loaded to read a command line. */
const kinds: readonly WebhookKind[] = ['json', 'slack', 'alertmanager', 'alertmanager-api'];
const optionPattern = /,(kind|events|secret-env|secret-file)=([^,\s]*)/gu;

/**
 * One more webhook: `URL[,kind=slack][,events=all][,secret-env=NAME|secret-file=PATH]`; in the environment variable several, apart by spaces. A secret is
 * never given itself, since a command line can be read by everybody on the machine.
 */
export function addWebhook(text: string, before: readonly Webhook[] | undefined): readonly Webhook[] {
  const texts = text.split(/\s+/u).filter((one) => one !== '');
  return [...(before ?? []), ...texts.map(parseWebhook)];
}

function parseWebhook(text: string): Webhook {
  const options = new Map([...text.matchAll(optionPattern)].map(([, name = '', value = '']) => [name, value]));
  const address = text.replaceAll(optionPattern, '');
  if (!/^https?:\/\//u.test(address)) throw new InvalidArgumentError('expected https://HOST/PATH[,kind=slack]');
  const kind = kinds.find((one) => one === (options.get('kind') ?? 'json'));
  if (kind === undefined) throw new InvalidArgumentError(`kind is one of ${kinds.join(', ')}`);
  const events = options.get('events') ?? 'regressions';
  if (events !== 'regressions' && events !== 'all') throw new InvalidArgumentError('events is regressions or all');
  return { url: parseUrl(address), kind, events, secret: secretOf(options) };
}

function secretOf(options: ReadonlyMap<string, string>): string | null {
  const [variable, file] = [options.get('secret-env'), options.get('secret-file')];
  if (variable !== undefined && file !== undefined)
    throw new InvalidArgumentError('secret-env and secret-file exclude each other');
  if (variable === undefined && file === undefined) return null;
  const secret = variable === undefined ? readSecret(file ?? '') : process.env[variable];
  if (secret === undefined || secret.trim() === '')
    throw new InvalidArgumentError(`there is no secret in ${variable ?? file ?? ''}`);
  return secret.trim();
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(
      `cannot read ${file}: ${error instanceof Error && 'code' in error ? String(error.code) : ''}`,
    );
  }
}
