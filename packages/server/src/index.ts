export { type Webhook, type WebhookKind, webhookKinds } from './findings/webhooks/webhook.ts';
export { createServer, type Server, type ServerLimits, type ServerOptions, ServerStartError } from './server.ts';
export { editDistance, nearestName } from './nearest-name.ts';
export { type Problem, Refused } from './problem.ts';
export { backUpStore, type Copied, restoreStore } from './storage/embedded/backup.ts';
export type { Retention, RetentionRule } from './storage/embedded/retention.ts';
export { verifyStore, type VerifyReport } from './storage/embedded/verify.ts';
export type { SourceRoot } from './source/source-files.ts';
export { StorageError } from './storage/storage.ts';
