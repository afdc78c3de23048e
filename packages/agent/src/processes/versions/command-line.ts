import { posix } from 'node:path';

/** What a process runs, as its command line says: whose metadata is to be read. */
export type Program =
  /** Code of its own. */
  | { readonly kind: 'native' }
  /** Starts others and does nothing of its own: its build says nothing about the service that it starts. */
  | { readonly kind: 'launcher' }
  | {
      readonly kind: 'script';
      readonly language: 'javascript' | 'python' | 'other';
      /** Absolute, or below the working directory; '' when the working directory is all that is known. */
      readonly script: string;
      /** `python -m NAME`, or the name of a console script. */
      readonly module: string;
    }
  | { readonly kind: 'jar'; readonly jar: string };

/** Shells, first processes of containers, and those that set something and then run another. */
const launchers = new Set(
  `sh bash dash ash zsh ksh fish busybox tini tini-static dumb-init docker-init catatonit s6-svscan s6-supervise runsv runsvdir supervisord
   systemd init containerd-shim containerd-shim-runc-v2 conmon runc crun env nice nohup setsid sudo su runuser gosu su-exec chroot unshare nsenter
   timeout time xargs flock setpriv stdbuf taskset ionice script sshd login cron crond`.split(/\s+/u),
);

/** Servers and tools that run an application from the working directory: their own version is not the application's. */
const runners = new Set(
  `gunicorn uvicorn hypercorn daphne waitress-serve celery flask django-admin pytest uwsgi rq dramatiq granian streamlit
   npm npm-cli.js npx npx-cli.js yarn yarn.js pnpm pnpm.cjs tsx ts-node nodemon pm2 next nest vite`.split(/\s+/u),
);

/** Options of which the next argument is the value. */
const nodeValued = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '--conditions',
  '--title',
]);
const javaValued = new Set([
  '-cp',
  '-classpath',
  '--class-path',
  '-p',
  '--module-path',
  '--add-modules',
  '--add-opens',
  '--add-exports',
]);
const pythonValued = new Set(['-W', '-X', '--check-hash-based-pycs']);

/** `args` is /proc/PID/cmdline, which a process may overwrite: then it names no file, and the working directory must do. */
export function programOf(executableName: string, args: readonly string[]): Program {
  const name = executableName.replace(/ \(deleted\)$/u, '');
  if (launchers.has(name)) return { kind: 'launcher' };
  const rest = args.slice(1);
  if (/^(?:node(?:js)?|bun|deno)$/u.test(name)) return javascript(rest);
  if (/^(?:python|pypy)[\d.]*$/u.test(name)) return python(rest);
  if (name === 'java') return java(rest);
  if (/^(?:ruby|perl|php(?:-fpm|-cgi)?|lua|guile|Rscript|julia)[\d.]*$/u.test(name)) {
    return script('other', rest.find((arg) => !arg.startsWith('-')) ?? '');
  }
  return { kind: 'native' };
}

function script(language: 'javascript' | 'python' | 'other', path: string, module = ''): Program {
  const isRunner = runners.has(posix.basename(path)) || runners.has(module);
  return { kind: 'script', language, script: isRunner ? '' : path, module: isRunner ? '' : module };
}

function javascript(args: readonly string[]): Program {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (/^(?:-e|-p|-pe|--eval|--print|eval)$/u.test(arg)) return script('javascript', '');
    if (nodeValued.has(arg)) i++;
    else if (!arg.startsWith('-') && !(i === 0 && arg === 'run'))
      return script('javascript', arg.replace(/^file:\/\//u, ''));
  }
  return script('javascript', '');
}

function python(args: readonly string[]): Program {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '-c') return script('python', '');
    if (arg === '-m') return script('python', '', args[i + 1]?.split('.')[0] ?? '');
    if (pythonValued.has(arg)) i++;
    else if (!arg.startsWith('-')) return script('python', arg, posix.basename(arg).replace(/\.py$/u, ''));
  }
  return script('python', '');
}

function java(args: readonly string[]): Program {
  let classPath = '';
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '-jar') return { kind: 'jar', jar: args[i + 1] ?? '' };
    if (/^(?:-cp|-classpath|--class-path)$/u.test(arg)) classPath = args[i + 1] ?? '';
    if (javaValued.has(arg)) i++;
    else if (!arg.startsWith('-')) break;
  }
  return { kind: 'jar', jar: classPath.split(':').find((entry) => entry.endsWith('.jar')) ?? '' };
}
