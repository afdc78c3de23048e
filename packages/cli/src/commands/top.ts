import { type FunctionColumns, topFunctions } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Command } from 'commander';
import { ApiClient } from '../api-client.ts';
import { option } from '../option.ts';
import { wholeNumber } from '../parse.ts';
import { readProfiles, sampleTypeIndex } from '../profile-file.ts';
import { formatQuantity, formatShare } from '../render/quantity.ts';
import { formatTable } from '../render/table.ts';
import { serverOption } from '../server-option.ts';

interface TopFlags {
  readonly server: URL;
  readonly query?: string;
  readonly from: string;
  readonly until: string;
  readonly sampleType?: string;
  readonly number: number;
}

interface Row {
  readonly name: string;
  readonly self: bigint;
  readonly total: bigint;
  readonly samples: number;
}

export function topCommand(): Command {
  return new Command('top')
    .description('The functions that use the most, from a server or from pprof files.')
    .argument('[files...]', 'pprof files; without any the server is asked')
    .addOption(serverOption())
    .addOption(option('-q, --query <selector>', 'whose profiles, for example {service_name="api"}'))
    .addOption(option('--from <time>', 'start: RFC 3339, Unix milliseconds or relative').default('now-15m'))
    .addOption(option('--until <time>', 'end, exclusive').default('now'))
    .addOption(option('--sample-type <type>', 'which value of a file, for example cpu or inuse_space'))
    .addOption(option('-n, --number <rows>', 'how many functions').default(20).argParser(wholeNumber(1, 1_000_000)))
    .action(async (files: readonly string[], flags: TopFlags) => {
      const top = files.length > 0 ? topOfFiles(files, flags) : await topOfServer(flags);
      process.stdout.write(`${formatTop(top.rows.slice(0, flags.number), top.total, top.unit)}\n`);
      if (top.rows.length > flags.number)
        process.stdout.write(`… and ${top.rows.length - flags.number} more functions; -n shows them\n`);
    });
}

interface Top {
  readonly rows: readonly Row[];
  readonly total: bigint;
  readonly unit: string;
}

function topOfFiles(files: readonly string[], flags: TopFlags): Top {
  const profile = readProfiles(files);
  const typeIndex = sampleTypeIndex(profile, flags.sampleType);
  const rows = rowsOf(topFunctions(profile, typeIndex));
  const types = profile.sampleTypes.length;
  let total = 0n;
  for (let i = typeIndex; i < profile.samples.values.length; i += types) total += profile.samples.values[i] ?? 0n;
  return { rows, total, unit: profile.sampleTypes[typeIndex]?.unit ?? '' };
}

function rowsOf({ frames, self, total, samples }: FunctionColumns): Row[] {
  return frames.name.map((name, row) => ({
    name,
    self: self[row] ?? 0n,
    total: total[row] ?? 0n,
    samples: samples[row] ?? 0,
  }));
}

async function topOfServer({ server, query, from, until }: TopFlags): Promise<Top> {
  const answer = await new ApiClient(server).get<http.TopAnswer>('/api/v1/top', { query, from, until });
  const rows = answer.functions.map((row) => ({
    name: row.name,
    self: BigInt(row.self),
    total: BigInt(row.total),
    samples: row.samples,
  }));
  return { rows, total: BigInt(answer.total), unit: answer.unit };
}

function formatTop(rows: readonly Row[], total: bigint, unit: string): string {
  return formatTable(rows, [
    { title: 'self', align: 'right', text: (row) => formatQuantity(row.self, unit) },
    { title: 'self%', align: 'right', text: (row) => formatShare(row.self, total) },
    { title: 'total', align: 'right', text: (row) => formatQuantity(row.total, unit) },
    { title: 'total%', align: 'right', text: (row) => formatShare(row.total, total) },
    { title: 'samples', align: 'right', text: (row) => row.samples.toLocaleString('en') },
    { title: 'function', align: 'left', text: (row) => row.name },
  ]);
}
