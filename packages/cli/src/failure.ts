/** An expected failure of a command: one line for the user that says what to do, and the exit code. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

/** Exit codes of every command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notEnough: 3 } as const;
