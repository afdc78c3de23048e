import { test } from 'vitest';

import { nodeOfMajor } from '../support/node-versions.ts';
import { expectPlanted } from './judge-node.ts';

const versions = [18, 20, 22, 24, 25, 26];
/** The interpreter, and each compiler of V8's alone and with those below it. */
const tiers = [
  { tier: 'all', flags: [] },
  { tier: 'interpreter', flags: ['--no-opt', '--no-sparkplug', '--no-maglev'] },
  { tier: 'baseline', flags: ['--always-sparkplug', '--no-opt', '--no-maglev'] },
  { tier: 'maglev', flags: ['--maglev', '--no-turbofan'] },
];
const cases = versions.flatMap((major) =>
  tiers
    // V8 10.2 knows neither Maglev nor these names.
    .filter(({ tier }) => major >= 20 || tier !== 'maglev')
    .map(({ tier, flags }) => ({
      major,
      tier,
      flags: major < 20 ? flags.filter((each) => each !== '--no-maglev') : flags,
    })),
);

test.each(cases)('Node.js $major, $tier', async ({ major, flags }) => {
  await expectPlanted(nodeOfMajor(major), flags, 3000);
});
