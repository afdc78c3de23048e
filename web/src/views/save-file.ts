import { boxHeight, type Picture } from '../tree/picture.ts';

/** Hands the browser a file to save. */
export function saveFile(name: string, content: BlobPart, mediaType: string): void {
  const href = URL.createObjectURL(new Blob([content], { type: mediaType }));
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
  // The download has its own hold on the content once it has begun.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** The same picture with colours that every program knows: other tools have not heard of oklch. */
export function withPlainColours(picture: Picture): Picture {
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return picture;
  const known = new Map<string, string>();
  const plain = (colour: string): string => {
    const found = known.get(colour);
    if (found !== undefined) return found;
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const bytes = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    const hex = `#${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    known.set(colour, hex);
    return hex;
  };
  return { ...picture, boxes: picture.boxes.map((box) => ({ ...box, colour: plain(box.colour) })) };
}

/** The picture in twice the pixels, so that it stays sharp. Null where the browser has no room for it. */
export async function pngOf({ width, height, title, background, ink, boxes }: Picture): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  // What browsers allow a side of a canvas to have.
  const scale = Math.min(2, 16_000 / Math.max(width, height));
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext('2d');
  if (context === null) return null;
  context.scale(scale, scale);
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  context.font = '11px ui-monospace, Menlo, Consolas, monospace';
  for (const { x, y, width: wide, colour } of boxes) {
    context.fillStyle = colour;
    context.fillRect(x, y, Math.max(wide - 0.5, 0.5), boxHeight - 1);
  }
  context.fillStyle = ink;
  context.fillText(title, 4, 18);
  for (const { x, y, label } of boxes) if (label !== '') context.fillText(label, x + 3, y + 14);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}
