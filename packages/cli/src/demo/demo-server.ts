import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CommandFailure } from '../failure.ts';

const defaultServer = new URL('http://127.0.0.1:4099');
const probeTimeoutMs = 2000;
const mainFile = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The server that the demo shows itself on. */
export interface DemoServer {
  readonly url: URL;
  /** Started by the demo: with its end it is gone, and so is what it stored. */
  readonly isOwn: boolean;
  readonly close: () => Promise<void>;
}

/** The server asked for, else one at the default address, else one started here with a data folder that is thrown away. */
export async function findServer(asked: URL | undefined): Promise<DemoServer> {
  if (asked !== undefined) {
    const found = await probe(asked);
    if (found !== 'ready')
      throw new CommandFailure(`no Everflame server is ready at ${asked.origin}; start one with: npm start`);
    return running(asked);
  }
  const found = await probe(defaultServer);
  if (found === 'ready') return running(defaultServer);
  return startOwn(found === 'free' ? defaultServer.host : '127.0.0.1:0');
}

function running(url: URL): DemoServer {
  return { url, isOwn: false, close: () => Promise.resolve() };
}

async function probe(server: URL): Promise<'ready' | 'free' | 'other'> {
  try {
    const answer = await fetch(new URL('/-/ready', server), { signal: AbortSignal.timeout(probeTimeoutMs) });
    return answer.ok ? 'ready' : 'other';
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED' ? 'free' : 'other';
  }
}

async function startOwn(listen: string): Promise<DemoServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'everflame-demo-'));
  // A group of its own: a terminal's Ctrl-C reaches the demo alone, which then ends the server in order.
  const child = spawn(process.execPath, [mainFile, 'up', '--listen', listen, '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const close = async () => {
    await stop(child);
    await rm(dataDir, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (?<url>http:\S+)$/u.exec(line)?.groups?.['url'];
    if (url === undefined) continue;
    child.stdout.resume();
    return { url: new URL(url), isOwn: true, close };
  }
  await close();
  throw new CommandFailure('the server for the demo did not start; its messages are above');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
