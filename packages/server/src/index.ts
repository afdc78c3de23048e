export { createServer, type Server, type ServerLimits, type ServerOptions, ServerStartError } from './server.ts';
export { editDistance, nearestName } from './nearest-name.ts';
export { type Problem, Refused } from './problem.ts';
