import { resolve } from 'node:path';
import { Command } from 'commander';
import { dataDirOption } from '../server-flags.ts';
import { onStore } from '../on-store.ts';

export function backupCommand(): Command {
  return new Command('backup')
    .description('Copy a store as it is at one instant; its server may run. A second backup copies only what is new.')
    .argument('<dir>', 'where the copy goes')
    .addOption(dataDirOption())
    .action(async (dir: string, { dataDir }: { readonly dataDir: string }) => {
      const copied = await onStore(({ backUpStore }) => backUpStore(resolve(dataDir), resolve(dir)));
      process.stdout.write(`${copied.blocks} block files (${copied.bytes} bytes) and the data base are in ${dir}\n`);
    });
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Make a store of a backup, in a folder that has none.')
    .argument('<dir>', 'the backup')
    .addOption(dataDirOption())
    .action(async (dir: string, { dataDir }: { readonly dataDir: string }) => {
      const copied = await onStore(({ restoreStore }) => restoreStore(resolve(dir), resolve(dataDir)));
      process.stdout.write(
        `${copied.blocks} block files (${copied.bytes} bytes) and the data base are in ${dataDir}\n`,
      );
    });
}
