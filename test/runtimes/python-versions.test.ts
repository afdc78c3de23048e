import { test } from 'vitest';

import { pythonOf } from '../support/pythons.ts';
import { expectPlantedPython, expectShapes } from './judge-python.ts';
import { expectThreadNames } from './judge-python-threads.ts';

const versions = [8, 9, 10, 11, 12, 13, 14];

for (const minor of versions) {
  const python = pythonOf(minor);
  const absent = python === undefined ? ': neither pyenv nor Maven has this version here' : '';
  test.skipIf(python === undefined)(`Python 3.${minor}${absent}`, async () => {
    await expectPlantedPython(python ?? '', 3000, { isQualified: minor >= 11 });
  });

  test.skipIf(python === undefined)(
    `Python 3.${minor}, coroutines, generators, threads, fork, interpreters${absent}`,
    async () => {
      await expectShapes(python ?? '', minor >= 11);
    },
  );

  test.skipIf(python === undefined)(`Python 3.${minor}, names of threads${absent}`, async () => {
    await expectThreadNames(python ?? '');
  });
}
