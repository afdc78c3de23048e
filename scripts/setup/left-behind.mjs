// What tests start is to end with them: a child of a failed test that is left holds the output open, and vitest and whoever reads `npm test` wait for ever.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const mark = 'EVERFLAME_TEST_RUN';

/** Environment by which the processes of this run are found, whoever their parent is by then. */
export function markedEnv(env) {
  return { ...env, [mark]: randomUUID() };
}

/** Ends what of a run is not below the process `runner` any more, and says what it was. */
export function endLeftBehind(env, runner) {
  const marked = `\0${mark}=${env[mark]}\0`;
  const ended = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/u.test(name))) {
    if (!`\0${readOrNothing(pid, 'environ')}`.includes(marked) || isBelow(pid, runner)) continue;
    const command = readOrNothing(pid, 'cmdline').replaceAll('\0', ' ').trim();
    try {
      process.kill(Number(pid), 'SIGKILL');
      ended.push(`${pid} ${command}`);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
  return ended;
}

function isBelow(pid, ancestor) {
  for (let at = pid; at !== undefined && at !== '0'; at = parentOf(at)) if (at === String(ancestor)) return true;
  return false;
}

function parentOf(pid) {
  // Behind the name, which may hold anything.
  return readOrNothing(pid, 'stat').split(') ').at(-1)?.split(' ')[1];
}

function readOrNothing(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // Ended meanwhile.
    return '';
  }
}
