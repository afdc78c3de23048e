// Invoices as HTML. Version 1.1.0 breaks pages, and finds out how full a page is the slow way: that is the planted regression.

const rowsPerPage = 40;

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

/**
 * A line changes its hash, so that an invoice cannot be altered unnoticed (FNV-1a, 32 bits).
 * @param {string} html
 */
export function sealInvoice(html) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < html.length; at++) hash = Math.imul(hash ^ html.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/**
 * @param {number} number
 * @param {readonly import('./cart.mjs').Line[]} lines
 * @param {{ breaksPages: boolean }} options `breaksPages` from version 1.1.0 on
 */
export function renderInvoice(number, lines, { breaksPages }) {
  let html = `<h1>Invoice ${number}</h1>\n<table>\n`;
  for (const [index, line] of lines.entries()) {
    html += renderLine(index + 1, line);
    if (breaksPages) {
      // Counts the rows by reading the whole document again after every row.
      let rows = 0;
      for (let at = 0; at < html.length; at++) if (html.charCodeAt(at) === 10) rows++;
      if (rows % rowsPerPage === 0) html += '</table><hr class="page">\n<table>\n';
    }
  }
  const totalCents = lines.reduce((sum, line) => sum + line.cents, 0);
  html += `</table>\n<p>Total ${formatCents(totalCents)}</p>\n`;
  return `${html}<!-- ${sealInvoice(html)} -->\n`;
}
