import { createHash } from 'node:crypto';

/** What bodies a receiver understands. `alertmanager` is what Alertmanager sends to its webhooks, `alertmanager-api` what is sent to Alertmanager itself. */
export const webhookKinds = ['json', 'slack', 'alertmanager', 'alertmanager-api'] as const;
export type WebhookKind = (typeof webhookKinds)[number];

export interface Webhook {
  readonly url: URL;
  readonly kind: WebhookKind;
  /** Key of the signature; null: unsigned. */
  readonly secret: string | null;
  /** `regressions`: what regressed or is new. `all`: improvements and what is gone, too. */
  readonly events: 'regressions' | 'all';
}

/** For logs and answers: the path and the query of a webhook are often its secret. */
export function webhookName({ url, kind }: Webhook): string {
  return `${kind} ${url.host}`;
}

/** By which its queue is found again after a restart. */
export function webhookId({ url, kind }: Webhook): string {
  return createHash('sha256').update(`${kind} ${url.href}`).digest('hex').slice(0, 16);
}
