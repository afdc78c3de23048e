import { resolve } from 'node:path';
import { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { dataDirOption } from '../server-flags.ts';
import { onStore } from '../on-store.ts';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Read everything in a store and check it: checksums, references, sums. A server may run meanwhile.')
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { readonly dataDir: string }) => {
      const { blocks, profiles, problems } = await onStore(({ verifyStore }) => verifyStore(resolve(dataDir)));
      if (problems.length > 0) throw new CommandFailure(problems.join('\n'));
      process.stdout.write(`${profiles} profiles, ${blocks} block files: all is well\n`);
    });
}
