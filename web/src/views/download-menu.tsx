import { useState } from 'preact/hooks';
import type { Tree } from '../data/tree-columns.ts';
import { foldedText, speedscopeText } from '../tree/exports.ts';
import { type Picture, svgText } from '../tree/picture.ts';
import { CopyText } from './copy-text.tsx';
import { Menu } from './menu.tsx';
import { pngOf, saveFile, withPlainColours } from './save-file.ts';

interface Props {
  readonly tree: Tree;
  /** The nodes in view. */
  readonly members: readonly number[];
  readonly unit: string;
  /** Begins the names of files. */
  readonly name: string;
  /** Address of the samples as pprof; null where they are only here. */
  readonly pprofHref: string | null;
  /** Whether what is shown is less, or other, than the samples of the pprof file. */
  readonly isPart: boolean;
  readonly picture: () => Picture;
}

/** What is shown as a file, and the command that opens the samples in pprof. */
export function DownloadMenu({ tree, members, unit, name, pprofHref, isPart, picture }: Props) {
  const [problem, setProblem] = useState('');
  const file = name.replaceAll(/[^\w.-]+/gu, '_').slice(0, 80);
  const savePng = async () => {
    const blob = await pngOf(picture());
    if (blob === null) setProblem('This picture is too large for a PNG here. The SVG has it whole.');
    else saveFile(`${file}.png`, blob, 'image/png');
  };
  return (
    <Menu label="Download">
      {() => (
        <>
          {pprofHref !== null && (
            <>
              <p>
                <a class="button is-primary" href={pprofHref} download>
                  Download pprof
                </a>
              </p>
              <p>Or open exactly these samples with Go's pprof:</p>
              <CopyText text={`go tool pprof -http=: '${location.origin}${pprofHref}'`} />
              {isPart && (
                <p class="hint">pprof gets all samples of the query and its filters, without the zoom and the view.</p>
              )}
            </>
          )}
          <p>What is shown, as a file:</p>
          <div class="button-row">
            <button
              type="button"
              class="button"
              onClick={() => saveFile(`${file}.folded`, foldedText(tree, members), 'text/plain')}
            >
              Folded stacks
            </button>
            <button
              type="button"
              class="button"
              onClick={() =>
                saveFile(`${file}.speedscope.json`, speedscopeText(tree, members, name, unit), 'application/json')
              }
            >
              speedscope
            </button>
            <button
              type="button"
              class="button"
              onClick={() => saveFile(`${file}.svg`, svgText(withPlainColours(picture())), 'image/svg+xml')}
            >
              SVG
            </button>
            <button type="button" class="button" onClick={() => void savePng()}>
              PNG
            </button>
          </div>
          {problem !== '' && <p role="alert">{problem}</p>}
        </>
      )}
    </Menu>
  );
}
