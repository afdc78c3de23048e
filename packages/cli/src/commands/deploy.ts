import type { http } from '@everflame/protocols';
import { Command } from 'commander';
import { ApiClient } from '../api-client.ts';
import { option } from '../option.ts';
import { printable } from '../render/table.ts';
import { serverOption } from '../server-option.ts';

interface DeployFlags {
  readonly server: URL;
  readonly service: string;
  readonly version: string;
  readonly environment?: string;
  readonly commit?: string;
  readonly url?: string;
  readonly at?: string;
}

export function deployCommand(): Command {
  return new Command('deploy')
    .description('Mark a deployment, for example from a CI pipeline. It is then listed and can be compared.')
    .addOption(serverOption())
    .addOption(option('--service <name>', 'service_name').makeOptionMandatory())
    .addOption(option('--version <version>', 'service_version').makeOptionMandatory())
    .addOption(option('--environment <name>', 'deployment_environment_name'))
    .addOption(option('--commit <sha>', 'commit that was deployed'))
    .addOption(option('--url <url>', 'page of the deployment or its pipeline'))
    .addOption(option('--at <time>', 'when: RFC 3339, Unix milliseconds or relative such as now-5m (default: now)'))
    .action(async ({ server, ...mark }: DeployFlags) => {
      const deployment = await new ApiClient(server).post<http.Deployment>('/api/v1/deployments', mark);
      const { service, version, environment } = deployment;
      const where = environment === '' ? '' : ` in ${environment}`;
      process.stdout.write(`marked ${printable(service)} ${printable(version)}${printable(where)}\n`);
    });
}
