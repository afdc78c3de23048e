import { apiUrl } from '../data/api.ts';
import type { Span } from '../state/time-range.ts';
import { CopyText } from './copy-text.tsx';
import { Menu } from './menu.tsx';

/** The same samples as a file, and the command that opens them in pprof. */
export function DownloadMenu({ query, span }: { query: string; span: Span | null }) {
  if (span === null) return null;
  const href = apiUrl('/pprof', { query, from: Math.floor(span.fromMs), until: Math.ceil(span.untilMs) });
  return (
    <Menu label="Download">
      {() => (
        <>
          <p>
            <a class="button is-primary" href={href} download>
              Download pprof
            </a>
          </p>
          <p>Or open exactly these samples with Go's pprof:</p>
          <CopyText text={`go tool pprof -http=: '${location.origin}${href}'`} />
        </>
      )}
    </Menu>
  );
}
