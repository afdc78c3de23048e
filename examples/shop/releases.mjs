// The releases of the shop: 1.0.0 is the files beside this one, and each later release is what it changes in them, as a patch would.
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** @typedef {Map<string, string>} Sources text by file name */

/** @param {Sources} sources @param {string} file @param {string} was @param {string} is */
function replace(sources, file, was, is) {
  const text = sources.get(file) ?? '';
  if (!text.includes(was)) throw new Error(`${file} does not hold ${JSON.stringify(was)}`);
  sources.set(file, text.replaceAll(was, is));
}

/** @type {Record<string, (sources: Sources) => void>} */
const releases = {
  '1.0.0': () => {},
  // A tenth of the vouchers is looked at twice: a function of a twentieth of the CPU costs 10 % more, which `npm run test:aa` looks for.
  '1.0.1': (sources) =>
    replace(
      sources,
      'cart.mjs',
      'for (const cents of voucherCents) {',
      'for (const cents of [...voucherCents.slice(0, Math.round(voucherCents.length / 10)), ...voucherCents]) {',
    ),
  '1.1.0': (sources) => {
    // Invoices break pages, and find out how full a page is by reading the whole document again after every row: the planted regression.
    replace(
      sources,
      'invoice.mjs',
      'html += renderLine(index + 1, line);\n',
      `{
    html += renderLine(index + 1, line);
    let rows = 0;
    for (let at = 0; at < html.length; at++) if (html.charCodeAt(at) === 10) rows++;
    if (rows % 40 === 0) html += '</table><hr class="page">\\n<table>\\n';
  }
`,
    );
    // The search passes over what is sold out, half of the products: the planted improvement.
    replace(
      sources,
      'catalogue.mjs',
      'for (const product of catalogue) {\n    const score',
      'for (const product of catalogue) {\n    if (product.id % 2 === 0) continue;\n    const score',
    );
    // The seal moves to a file of its own, and a function gets a better name. Both cost what they did.
    const invoice = sources.get('invoice.mjs') ?? '';
    const [before = '', seal = '', after = ''] = invoice.split(/^\/\/ (?:begin|end) of seal\n/mu);
    sources.set('seal.mjs', `// Seals of invoices.\n${seal}`);
    sources.set('invoice.mjs', before.replace('\n', `\nimport { sealInvoice } from './seal.mjs';\n`) + after);
    replace(sources, 'cart.mjs', 'chooseVouchers', 'pickVouchers');
  },
};

export const versions = Object.keys(releases);

/**
 * Installs a release where all its instances run from, a directory for each version, and answers that directory. Other users cannot write to it.
 * @param {string} version
 */
export function installRelease(version) {
  const change = releases[version];
  if (change === undefined) throw new Error(`there is no release ${version}; there are ${versions.join(', ')}`);
  const sources = new Map(
    readdirSync(here)
      .filter((file) => file.endsWith('.mjs') && file !== 'releases.mjs' && file !== 'start.mjs')
      .map((file) => [file, readFileSync(join(here, file), 'utf8')]),
  );
  change(sources);
  const user = process.getuid?.() ?? 0;
  const root = join(tmpdir(), `everflame-shop-${user}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const facts = lstatSync(root);
  if (!facts.isDirectory() || facts.uid !== user) throw new Error(`${root} is not this user's own directory`);
  const directory = join(root, version);
  mkdirSync(directory, { recursive: true });
  for (const [file, text] of sources) {
    // Others may be starting from these files just now.
    const unfinished = join(directory, `.${file}.${process.pid}`);
    writeFileSync(unfinished, text);
    renameSync(unfinished, join(directory, file));
  }
  return directory;
}
