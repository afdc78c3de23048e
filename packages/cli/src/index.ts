/** Public surface of this package: the command line as a value, for tests. The command itself is `main.ts`. */
export { createProgram } from './program.ts';
