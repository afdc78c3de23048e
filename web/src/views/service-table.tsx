import type { http } from '@everflame/protocols';
import { compareHref, findingsHref, flamegraphHref } from '../state/page-state.ts';
import { withLabel } from '../state/query-text.ts';
import { averageOf, latestOf } from '../tree/average.ts';
import { exactly } from '../tree/search.ts';
import { shareOf } from '../tree/sums.ts';
import { amount, coresNumber, percent, plural } from './format.ts';
import { Link } from './link.tsx';
import { shortName } from './short-name.ts';
import { Sparkline } from './sparkline.tsx';
import { findingLooks, relative } from './verdict-tag.tsx';

/** What is shown of a service. Cores are null where the profile type is no time or nothing was stored lately. */
export interface ServiceLine {
  readonly service: string;
  readonly versions: readonly string[];
  readonly hosts: number;
  readonly now: number | null;
  readonly average: number | null;
  readonly value: bigint;
  readonly share: number;
  readonly samples: number;
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly top: readonly { readonly name: string; readonly share: number }[];
}

/** Dearest first. */
export function serviceLines(answer: http.ServicesAnswer, nowMs: number): ServiceLine[] {
  const isTime = answer.unit === 'nanoseconds';
  const whole = answer.services.reduce((sum, one) => sum + BigInt(one.value), 0n);
  return answer.services
    .map((one): ServiceLine => {
      const value = BigInt(one.value);
      const values = one.values.map(Number);
      const steps = { times: one.times, values, stepMs: answer.stepMs };
      return {
        service: one.service,
        versions: one.versions,
        hosts: one.hosts,
        now: isTime ? latestOf(steps, Math.min(nowMs, answer.until)) : null,
        average: isTime ? (averageOf(steps)?.rate ?? null) : null,
        value,
        share: shareOf(value, whole),
        samples: one.samples,
        times: one.times,
        values,
        top: one.top.slice(0, 3).map(({ name, self }) => ({ name, share: shareOf(BigInt(self), value) })),
      };
    })
    .toSorted((a, b) => (a.value > b.value ? -1 : a.value < b.value ? 1 : a.service < b.service ? -1 : 1));
}

interface Props {
  readonly answer: http.ServicesAnswer;
  readonly lines: readonly ServiceLine[];
  /** The functions are on their way. */
  readonly isWithoutFunctions: boolean;
  /** Those that are open. */
  readonly findings: readonly http.Finding[];
  readonly from: string;
  readonly until: string;
  /** All services, not only the dearest. */
  readonly isWhole: boolean;
  readonly onWhole: () => void;
}

/** A machine runs a hundred programs in a minute, most of them for a moment. */
const dearest = 20;

export function ServiceTable({ answer, lines, isWithoutFunctions, findings, from, until, isWhole, onWhole }: Props) {
  const shown = isWhole ? lines : lines.slice(0, dearest);
  const others = lines.slice(shown.length);
  const isTime = answer.unit === 'nanoseconds';
  return (
    <div class="services-scroll" aria-busy={isWithoutFunctions}>
      <table class="services">
        <thead>
          <tr>
            <th class="left">Service</th>
            <th class="right">{isTime ? 'Cores now' : 'Value'}</th>
            <th class="right" title="Average over the time that has data">
              {isTime ? 'While running' : ''}
            </th>
            <th class="left">Over the range</th>
            <th class="right">Share</th>
            <th class="left">Hottest functions</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((line) => {
            const query = answer.profileType + withLabel('', 'service_name', line.service);
            const href = flamegraphHref({ query, from, until });
            return (
              <tr key={line.service}>
                <td class="left service-cell">
                  <Link href={href} class="service-name" title={`Flame graph of ${line.service}`}>
                    {line.service === '' ? '(no service name)' : line.service}
                  </Link>
                  <span class="service-facts">
                    {line.versions.slice(0, 2).map((version) => (
                      <span key={version} class="tag">
                        {version}
                      </span>
                    ))}
                    {line.versions.length > 2 && <span>{plural(line.versions.length - 2, 'older version')}</span>}
                    <span>{plural(line.hosts, 'host')}</span>
                    <VersionChange line={line} findings={findings.filter(({ service }) => service === line.service)} />
                  </span>
                </td>
                <td class={`right number is-strong${isTime ? '' : ' is-amount'}`}>
                  {isTime ? (line.now === null ? '–' : coresNumber(line.now)) : amount(line.value, answer.unit)}
                </td>
                <td class="right number">{line.average === null ? '' : coresNumber(line.average)}</td>
                <td class="left spark-cell">
                  <Sparkline
                    times={line.times}
                    values={line.values}
                    fromMs={answer.from}
                    untilMs={answer.until}
                    stepMs={answer.stepMs}
                  />
                </td>
                <td class="right number">{percent(line.share)}</td>
                <td class="left top-cell">
                  <ol class="top-functions">
                    {isWithoutFunctions &&
                      [1, 2, 3].map((place) => (
                        <li key={place} class="hint" aria-hidden="true">
                          …
                        </li>
                      ))}
                    {line.top.map((one) => (
                      <li key={one.name}>
                        <Link
                          href={flamegraphHref({
                            query,
                            from,
                            until,
                            search: exactly(one.name),
                          })}
                          class="function-name"
                          title={one.name}
                        >
                          {shortName(one.name)}
                        </Link>
                        <span class="number">{percent(one.share)}</span>
                      </li>
                    ))}
                  </ol>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {others.length > 0 && (
        <button type="button" class="more-services" onClick={onWhole}>
          Show {plural(others.length, 'more service')}, {percent(others.reduce((sum, line) => sum + line.share, 0))} of
          all
        </button>
      )}
    </div>
  );
}

/** What was found of the service in a few words, its own change first; the sentence on hover and behind the link. */
function VersionChange({ line, findings }: { line: ServiceLine; findings: readonly http.Finding[] }) {
  const { service, versions } = line;
  const whole = findings.find((one) => one.function === '');
  const first = whole ?? findings[0];
  if (first === undefined)
    return versions.length > 1 ? <Link href={compareHref({ service })}>compare versions</Link> : null;
  const text =
    whole === undefined || whole.change === null ? plural(findings.length, 'finding') : relative(whole.change);
  return (
    <Link href={findings.length > 1 ? findingsHref({ service }) : first.link} title={first.sentence}>
      <span class={`tag verdict ${findingLooks[first.verdict]}`}>{first.verdict}</span> {text}
    </Link>
  );
}
