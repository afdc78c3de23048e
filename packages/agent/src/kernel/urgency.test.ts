import { getPriority } from 'node:os';
import { expect, test } from 'vitest';

import { beUrgent } from './urgency.ts';

const before = getPriority();

test.runIf(process.getuid?.() === 0 && before === 0)(
  'a thread is urgent until the last who asked for it has done',
  async () => {
    const first = await beUrgent();
    const second = await beUrgent();
    first();
    first();
    expect(getPriority()).toBe(-20);
    second();
    expect(getPriority()).toBe(before);
  },
);
