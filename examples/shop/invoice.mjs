// Invoices as HTML, sealed.

/** @param {string} text */
function escapeHtml(text) {
  let escaped = '';
  for (const character of text) {
    if (character === '&') escaped += '&amp;';
    else if (character === '<') escaped += '&lt;';
    else if (character === '>') escaped += '&gt;';
    else if (character === '"') escaped += '&quot;';
    else escaped += character;
  }
  return escaped;
}

/** @param {number} cents */
const formatCents = (cents) => `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')} €`;

/** @param {number} number @param {import('./cart.mjs').Line} line */
function renderLine(number, line) {
  const cells = [
    String(number),
    escapeHtml(line.name),
    String(line.quantity),
    `${line.vatPercent} %`,
    formatCents(line.cents),
  ];
  let row = '<tr>';
  for (const cell of cells) row += `<td class="cell">${cell}</td>`;
  return `${row}</tr>\n`;
}

// begin of seal
const roundConstants = Uint32Array.from({ length: 64 }, (_, round) => Math.abs(Math.sin(round + 1)) * 2 ** 32);

/**
 * One block of 64 characters into the state, in 64 rounds of adding, rotating and mixing, as MD5 does it.
 * @param {Uint32Array} state four words
 * @param {string} text
 * @param {number} start
 */
function sealBlock(state, text, start) {
  let [a, b, c, d] = [state[0] ?? 0, state[1] ?? 0, state[2] ?? 0, state[3] ?? 0];
  for (let round = 0; round < 64; round++) {
    let mixed = 0;
    let at = 0;
    let turn = 0;
    if (round < 16) {
      mixed = (b & c) | (~b & d);
      at = round;
      turn = [7, 12, 17, 22][round & 3] ?? 0;
    } else if (round < 32) {
      mixed = (d & b) | (~d & c);
      at = (5 * round + 1) & 15;
      turn = [5, 9, 14, 20][round & 3] ?? 0;
    } else if (round < 48) {
      mixed = b ^ c ^ d;
      at = (3 * round + 5) & 15;
      turn = [4, 11, 16, 23][round & 3] ?? 0;
    } else {
      mixed = c ^ (b | ~d);
      at = (7 * round) & 15;
      turn = [6, 10, 15, 21][round & 3] ?? 0;
    }
    const code = start + 4 * at < text.length ? text.charCodeAt(start + 4 * at) : 0;
    const sum = (a + mixed + (roundConstants[round] ?? 0) + code) | 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}

/**
 * A line changes its seal, so that an invoice is not altered by mistake. No cryptography.
 * @param {string} html
 */
export function sealInvoice(html) {
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let start = 0; start < html.length; start += 64) sealBlock(state, html, start);
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}
// end of seal

/**
 * @param {number} number
 * @param {readonly import('./cart.mjs').Line[]} lines
 */
export function renderInvoice(number, lines) {
  let html = `<h1>Invoice ${number}</h1>\n<table>\n`;
  for (const [index, line] of lines.entries()) html += renderLine(index + 1, line);
  const totalCents = lines.reduce((sum, line) => sum + line.cents, 0);
  html += `</table>\n<p>Total ${formatCents(totalCents)}</p>\n`;
  return `${html}<!-- ${sealInvoice(html)} -->\n`;
}
