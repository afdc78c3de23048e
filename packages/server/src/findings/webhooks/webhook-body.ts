import { createHash } from 'node:crypto';
import type { http } from '@everflame/protocols';
import type { WebhookKind } from './webhook.ts';

/** The body of an event for a kind of receiver, as JSON. */
export function webhookBody(kind: WebhookKind, event: http.WebhookEvent): string {
  switch (kind) {
    case 'json':
      return JSON.stringify(event);
    case 'slack':
      return JSON.stringify(slackMessage(event));
    case 'alertmanager':
      return JSON.stringify(alertmanagerNotification(event));
    case 'alertmanager-api':
      return JSON.stringify([postableAlert(event)]);
  }
}

/** An incoming webhook's message (api.slack.com/messaging/webhooks); Mattermost and Rocket.Chat take the same. */
function slackMessage({ event, finding, url }: http.WebhookEvent): object {
  const sign = event === 'closed' ? ':white_check_mark:' : isWorse(finding) ? ':red_circle:' : ':large_green_circle:';
  const ended =
    event === 'closed' ? ` – ${finding.closedReason === 'went_away' ? 'went away' : 'no longer current'}` : '';
  const text = `${sign} ${escaped(finding.sentence)}${ended} <${escaped(url).replaceAll('|', '%7C')}|open>`;
  return { text, blocks: [{ type: 'section', text: { type: 'mrkdwn', text: text.slice(0, 3000) } }] };
}

/** The three characters that Slack's text knows. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const isWorse = ({ verdict }: http.Finding): boolean => verdict === 'regressed' || verdict === 'new';

function labelsOf(finding: http.Finding): Record<string, string> {
  const labels = {
    alertname: finding.kind === 'deployment' ? 'EverflameDeployment' : 'EverflameChange',
    severity: isWorse(finding) ? 'warning' : 'info',
    service: finding.service,
    environment: finding.environment,
    before: finding.before ?? '',
    after: finding.after ?? '',
    function: finding.function,
    verdict: finding.verdict,
  };
  // A label without a value is none there.
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

const never = '0001-01-01T00:00:00Z';

function alertOf({ event, finding, url }: http.WebhookEvent) {
  return {
    labels: labelsOf(finding),
    annotations: { summary: finding.sentence, description: finding.stack.join(' › ') || finding.sentence },
    startsAt: new Date(finding.openedAt).toISOString(),
    endsAt: event === 'closed' ? new Date(finding.closedAt ?? finding.updatedAt).toISOString() : never,
    generatorURL: url,
  };
}

/** The webhook payload of Alertmanager, version 4 (prometheus.io/docs/alerting/latest/configuration/#webhook_config). */
function alertmanagerNotification(event: http.WebhookEvent): object {
  const alert = alertOf(event);
  const status = event.event === 'closed' ? 'resolved' : 'firing';
  const { alertname = '', service = '' } = alert.labels;
  const groupLabels = { alertname, service };
  return {
    version: '4',
    groupKey: `{}:{alertname=${JSON.stringify(alertname)}, service=${JSON.stringify(service)}}`,
    truncatedAlerts: 0,
    status,
    receiver: 'everflame',
    groupLabels,
    commonLabels: alert.labels,
    commonAnnotations: alert.annotations,
    externalURL: new URL(event.url).origin,
    alerts: [{ status, ...alert, fingerprint: fingerprintOf(alert.labels) }],
  };
}

/** Alertmanager resolves an alert that is not repeated, unless its end is said: that of one that is open lies so far away. */
const openForMs = 7 * 24 * 3_600_000;

/** A `postableAlert` of Alertmanager's API v2. */
function postableAlert(event: http.WebhookEvent): object {
  const alert = alertOf(event);
  const endsAt = event.event === 'closed' ? alert.endsAt : new Date(event.sentAt + openForMs).toISOString();
  return { ...alert, endsAt };
}

function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16);
}
