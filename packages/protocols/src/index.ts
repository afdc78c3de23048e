export * as http from './http/schemas.ts';
