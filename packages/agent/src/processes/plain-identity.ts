import type { IdentitySource, SeriesLabels } from './identity.ts';
import type { ProcessView } from './process.ts';

/** Who a process is by nothing but its executable. */
export function plainIdentity(hostName: string): IdentitySource {
  return {
    identify(process: ProcessView): SeriesLabels {
      return {
        service_name: process.isKernelThread ? 'kernel' : process.executableName,
        process_executable_name: process.executableName,
        host_name: hostName,
      };
    },
  };
}
