import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addWebhook } from './parse-webhook.ts';

test('an address with options; several are apart by spaces or given one by one', () => {
  const first = addWebhook('https://hooks.slack.com/services/T/B/x,kind=slack,events=all', undefined);
  const all = addWebhook(' http://a/x?y=1,2  https://b/,kind=alertmanager ', first);
  expect(all.map(({ url, kind, events, secret }) => [url.href, kind, events, secret])).toEqual([
    ['https://hooks.slack.com/services/T/B/x', 'slack', 'all', null],
    ['http://a/x?y=1,2', 'json', 'regressions', null],
    ['https://b/', 'alertmanager', 'regressions', null],
  ]);
});

test('a secret is read from a variable or a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-secret-'));
  const file = join(folder, 'key');
  writeFileSync(file, 'from the file\n');
  process.env['EVERFLAME_TEST_SECRET'] = 'from the variable';
  expect(addWebhook(`http://a/,secret-file=${file}`, undefined)[0]?.secret).toBe('from the file');
  expect(addWebhook('http://a/,secret-env=EVERFLAME_TEST_SECRET', undefined)[0]?.secret).toBe('from the variable');
  delete process.env['EVERFLAME_TEST_SECRET'];
  expect(() => addWebhook('http://a/,secret-env=EVERFLAME_TEST_SECRET', undefined)).toThrow('there is no secret');
  expect(() => addWebhook(`http://a/,secret-file=${file}x`, undefined)).toThrow('ENOENT');
  rmSync(folder, { recursive: true });
});

test.each(['a/x', 'file:///etc/passwd', 'http://a/,kind=teams', 'http://a/,events=none'])('%s is refused', (text) => {
  expect(() => addWebhook(text, undefined)).toThrow();
});
