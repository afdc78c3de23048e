// `npm run screenshots`: the README's pictures, of a drawn fleet on a real server in real Chromium.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { postFleet } from './support/drawn-fleet.ts';
import { launchBrowser, type OpenOptions, openSettled } from './support/page-browser.ts';
import { startPageServer } from './support/page-server.ts';

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly options: OpenOptions;
  /** What is done before the picture is taken. */
  readonly pose?: (page: Page) => Promise<void>;
}

const shop = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop"}';
const shots: readonly Shot[] = [
  { name: 'overview', path: '/', options: { height: 620, width: 1280 } },
  {
    name: 'flamegraph',
    path: '/flamegraph',
    parameters: { query: shop },
    options: { height: 860, width: 1280, colorScheme: 'dark' },
    pose: async (page) => page.locator('g.frame[name="renderInvoice"]').hover(),
  },
  { name: 'compare', path: '/compare', parameters: { service: 'shop' }, options: { height: 860, width: 1280 } },
];

const folder = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
await mkdir(folder, { recursive: true });
const server = await startPageServer();
const browser = await launchBrowser();
try {
  await postFleet(server.url, 30, 0.3);
  for (const { name, path, parameters = {}, options, pose } of shots) {
    const { page, complaints } = await openSettled(browser, server.url, path, parameters, options);
    await pose?.(page);
    if (complaints.length > 0) throw new Error(`${path}: ${complaints.join('\n')}`);
    await page.screenshot({ path: `${folder}${name}.png` });
    console.log(`docs/screenshots/${name}.png`);
  }
} finally {
  await browser.close();
  await server.close();
}
