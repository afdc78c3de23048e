export * as http from './http/schemas.ts';
export * from './write.ts';
