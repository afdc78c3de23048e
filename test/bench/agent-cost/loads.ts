import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { PlantedPrograms } from '../../workloads/planted/build.ts';

/** The loads of the comparison, by name: nothing, one language on all CPUs, the mix on all CPUs, a hundred processes of the mix, and a storm of processes. */
export const loadNames = ['idle', 'c', 'cpp', 'go', 'node', 'python', 'mix', 'hundred', 'storm'] as const;
export type LoadName = (typeof loadNames)[number];

/** Longer than any run: they are ended. */
const seconds = '100000';

/** Programs of the loads, compiled once, without frame pointers where the language lets us. */
export class Loads {
  readonly #programs = new PlantedPrograms();
  readonly #commands: Readonly<Record<'c' | 'cpp' | 'go' | 'node' | 'python', readonly string[]>>;
  readonly #storm: string;
  readonly fixedWork: string;

  constructor() {
    const programs = this.#programs;
    const folder = join(import.meta.dirname, '../../workloads/planted');
    this.#commands = {
      c: [programs.c('chain.c', 'load-c'), seconds, '/dev/null'],
      cpp: [programs.c('chain.cpp', 'load-cpp', { compiler: 'g++' }), seconds, '/dev/null'],
      go: [programs.go('load-go'), seconds, '/dev/null'],
      node: [process.execPath, join(folder, 'mix.mjs')],
      // The distribution's, which is built without frame pointers.
      python: [existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3', join(folder, 'mix.py')],
    };
    this.#storm = programs.c('storm.c', 'load-storm');
    this.fixedWork = programs.c('fixed-work.c', 'fixed-work');
  }

  /** Starts a load; answers how to end it. */
  start(name: LoadName): () => void {
    const children = this.#wordsOf(name).map((words): ChildProcess => {
      const [command = '', ...args] = words;
      return spawn(command, args, { stdio: 'ignore' });
    });
    return () => {
      for (const child of children) child.kill('SIGKILL');
    };
  }

  #wordsOf(name: LoadName): (readonly string[])[] {
    const { c, go, node, python } = this.#commands;
    if (name === 'idle') return [];
    if (name === 'mix') return [c, go, node, python];
    if (name === 'hundred') return Array.from({ length: 25 }, () => [c, go, node, python]).flat();
    if (name === 'storm') {
      const openssl = '/usr/bin/openssl dgst -sha256 /usr/bin/openssl';
      return [
        [this.#storm, seconds, '100', '/dev/null', '/bin/ls /', '/bin/gzip -c /etc/services', openssl, '/bin/sh -c :'],
      ];
    }
    return Array.from({ length: availableParallelism() }, () => this.#commands[name]);
  }

  remove(): void {
    this.#programs.remove();
  }
}
