import { LibbpfMissing, ProgramRefused, SystemError, checkHost, formatFinding } from '@everflame/agent';
import { CommandFailure } from './failure.ts';

/**
 * Why this host cannot be sampled, as a failure with a line for each thing that is missing. An error that the host is not to
 * blame for comes back as it is.
 */
export function asCommandFailure(error: unknown): unknown {
  if (!(error instanceof LibbpfMissing || error instanceof ProgramRefused || error instanceof SystemError))
    return error;
  const findings = checkHost().filter((finding) => finding.blocksSampling);
  // Where we know what is missing, the library's own words only hide it.
  return new CommandFailure(findings.length > 0 ? findings.map(formatFinding).join('\n') : error.message);
}
