import { execFileSync } from 'node:child_process';

/** The addresses of the modules that a process of its own loads for `work`, the body of an asynchronous function; it imports as a file in `folder` does. */
export function loadedModules(work: string, folder: string): readonly string[] {
  const script = `
    const { registerHooks } = require('node:module');
    const urls = [];
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
    (async () => { ${work} })().then(() => console.log(JSON.stringify(urls)));`;
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: folder })) as string[];
}
