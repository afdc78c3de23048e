/** What stands where there was no name: an address in a binary, code without a file, the end of a stack that was cut. */
const nameless = /^\[(?:stack cut: .*|anon|unmapped|.+\+0x[0-9a-f]+)\]$/u;

/**
 * Does the name only say that there is none? The same code has another address in each build, and which part of a program has names depends on what an
 * agent could read: that such a function is new says nothing about the program.
 */
export function isNameless(name: string): boolean {
  return name.startsWith('[') && nameless.test(name);
}
