// Where things are. Plain JavaScript for Node.js >= 20: this runs before the Node.js that Everflame itself uses is there.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const toolsDir = join(root, 'tools');
const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
/** The Node.js that runs agent, server, CLI and tests, from the npm package of this architecture. */
export const nodeDir = join(toolsDir, 'node_modules', `node-linux-${arch}`);
export const nodeBin = join(nodeDir, 'bin', 'node');

/** Environment in which `node`, `pnpm` and the workspace's own binaries are found first. */
export function toolsEnv(env = process.env) {
  const path = [
    join(nodeDir, 'bin'),
    join(toolsDir, 'node_modules', '.bin'),
    join(root, 'node_modules', '.bin'),
    env.PATH ?? '',
  ];
  return { ...env, PATH: path.join(':') };
}
