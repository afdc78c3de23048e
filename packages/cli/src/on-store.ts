import type * as Server from '@everflame/server';
import { CommandFailure } from './failure.ts';

/** Works on a store's files. What the user can mend (no such folder, disk full) is a CommandFailure. */
export async function onStore<T>(action: (server: typeof Server) => T | Promise<T>): Promise<T> {
  const server = await import('@everflame/server');
  try {
    return await action(server);
  } catch (error) {
    if (error instanceof server.StorageError) throw new CommandFailure(error.message);
    throw error;
  }
}
