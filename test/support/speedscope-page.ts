import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
/** MIT. Not among the dependencies: its command line brings nine packages that nothing here needs. */
const wanted = 'speedscope@1.25.0';
const integrity = 'cpf9HWTZf1ijLXBJrk87Ve/54tnYx6rlf0gUThvn3ook6h63hLXVOQiMf44PT+XoV503cPfvfiT5gP5vojp6Ag==';
const kept = fileURLToPath(new URL(`../../.everflame/${wanted}`, import.meta.url));

/** The folder of speedscope's page; fetched by npm the first time. Throws when what came is not what is wanted. */
function installed(): string {
  if (!existsSync(kept)) {
    mkdirSync(dirname(kept), { recursive: true });
    const folder = mkdtempSync(`${kept}-`);
    try {
      const packed = execFileSync('npm', ['pack', wanted, '--silent'], { cwd: folder, encoding: 'utf8' }).trim();
      const file = join(folder, packed);
      const digest = createHash('sha512').update(readFileSync(file)).digest('base64');
      if (digest !== integrity) throw new Error(`${wanted} has the SHA-512 ${digest}`);
      execFileSync('tar', ['-xzf', file, '-C', folder]);
      renameSync(join(folder, 'package'), kept);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return join(kept, 'dist/release');
}

/** Sets `speedscopeMs` to the time from the arrival of the profile's last byte to two frames after its name is in the title. */
function watchFirstPicture(profileUrl: string): string {
  return `globalThis.speedscopeMs = new Promise((resolve) => {
    const look = () => {
      if (!document.title.endsWith(' - speedscope')) return requestAnimationFrame(look);
      const arrived = performance.getEntriesByName(${JSON.stringify(profileUrl)}).at(-1).responseEnd;
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - arrived)));
    };
    requestAnimationFrame(look);
  });`;
}

/**
 * Opens a profile in speedscope as npm has it, in a page of its own: milliseconds from the arrival of the profile's bytes to its first picture. `text`: in
 * speedscope's own format. Throws what the page throws, such as that the browser has no WebGL.
 */
export async function speedscopeFirstMs(browser: Browser, text: string): Promise<number> {
  const release = installed();
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const body = path === '/profile.json' ? Promise.resolve(text) : readFile(join(release, path));
    body.then(
      (bytes) => response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream').end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    const failed = new Promise<never>((_, reject) => {
      page.on('pageerror', reject);
    });
    const profileUrl = `${url}/profile.json`;
    await page.addInitScript({ content: watchFirstPicture(profileUrl) });
    await page.goto(`${url}/index.html#profileURL=${encodeURIComponent(profileUrl)}`);
    return await Promise.race([page.evaluate<number>('speedscopeMs'), failed]);
  } finally {
    await context.close();
    server.closeAllConnections();
    server.close();
  }
}
