import type { http } from '@everflame/protocols';
import { Command } from 'commander';
import { ApiClient } from '../api-client.ts';
import { option } from '../option.ts';
import { wholeNumber } from '../parse.ts';
import { formatFindings } from '../render/findings-table.ts';
import { serverOption } from '../server-option.ts';

interface FindingsFlags {
  readonly server: URL;
  readonly service?: string;
  readonly environment?: string;
  readonly state: string;
  readonly kind?: string;
  readonly number: number;
  readonly format: 'table' | 'json';
}

export function findingsCommand(): Command {
  return new Command('findings')
    .description('What the server has found by itself: changes of new versions, and changes without a deployment.')
    .addOption(serverOption())
    .addOption(option('--service <name>', 'only this service_name'))
    .addOption(option('--environment <name>', 'only this deployment_environment_name'))
    .addOption(option('--state <state>', 'which findings').choices(['open', 'closed', 'all']).default('open'))
    .addOption(option('--kind <kind>', 'only changes of this kind').choices(['deployment', 'over_time']))
    .addOption(option('-n, --number <rows>', 'how many, the newest').default(100).argParser(wholeNumber(1, 10_000)))
    .addOption(option('--format <format>', 'how it is printed').choices(['table', 'json']).default('table'))
    .action(async ({ server, service, environment, state, kind, number, format }: FindingsFlags) => {
      const parameters = { service, environment, state, kind, limit: String(number) };
      const answer = await new ApiClient(server).get<http.FindingsAnswer>('/api/v1/findings', parameters);
      const text = format === 'json' ? JSON.stringify(answer, null, 2) : formatFindings(answer, server);
      process.stdout.write(`${text}\n`);
    });
}
