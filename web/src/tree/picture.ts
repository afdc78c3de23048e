import type { Layout, Row } from './layout.ts';

/** One frame of a picture, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly colour: string;
  readonly label: string;
}
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly background: string;
  readonly ink: string;
  readonly boxes: readonly Box[];
}

export const boxHeight = 20;
const titleHeight = 28;
/** Of the font that both kinds of file use, at 12 px. */
const letterWidth = 6.6;

/** The same frames as on the screen, for files. */
export function pictureOf(
  layout: Layout,
  widthPx: number,
  growsUp: boolean,
  look: {
    readonly title: string;
    readonly background: string;
    readonly ink: string;
    readonly labelOf: (row: Row) => string;
    readonly colourOf: (row: Row) => string;
  },
): Picture {
  const { rows, focusRow, depth } = layout;
  const whole = rows[focusRow]?.width ?? 0;
  const scale = whole > 0 ? widthPx / whole : 0;
  const left: number[] = [];
  const level: number[] = [];
  /** Where the next child of each row begins. */
  const next: number[] = [];
  const boxes = rows.map((row, index): Box => {
    const x = index === 0 ? 0 : (next[row.parent] ?? 0);
    const width = row.width * scale;
    left.push(x);
    next.push(x);
    level.push(index === 0 ? 0 : (level[row.parent] ?? 0) + 1);
    if (index > 0) next[row.parent] = x + width;
    const y = titleHeight + (growsUp ? depth - 1 - (level[index] ?? 0) : (level[index] ?? 0)) * boxHeight;
    const room = Math.floor((width - 6) / letterWidth);
    const name = look.labelOf(row);
    const label = room < 3 ? '' : name.length <= room ? name : `${name.slice(0, room - 1)}…`;
    return { x, y, width, colour: look.colourOf(row), label };
  });
  const { title, background, ink } = look;
  return { width: widthPx, height: titleHeight + depth * boxHeight, title, background, ink, boxes };
}

/** A file that needs nothing else and runs nothing: names are escaped text. */
export function svgText({ width, height, title, background, ink, boxes }: Picture): string {
  const font = 'font-family="ui-monospace,Menlo,Consolas,monospace"';
  const frames = boxes.map(({ x, y, width: wide, colour, label }) => {
    const rect = `<rect x="${x.toFixed(2)}" y="${y}" width="${Math.max(wide - 0.5, 0.5).toFixed(2)}" height="${boxHeight - 1}" fill="${colour}"/>`;
    return label === '' ? rect : `${rect}<text x="${(x + 3).toFixed(2)}" y="${y + 14}">${escaped(label)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-size="11" ${font} fill="${ink}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${background}"/>`,
    `<text x="4" y="18">${escaped(title)}</text>`,
    ...frames,
    '</svg>\n',
  ].join('\n');
}

/** XML's own characters, and those that XML cannot hold at all. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
