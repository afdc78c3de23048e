// The shop's catalogue and its search: every product is scored by the trigrams that it shares with the question.

const materials = ['oak', 'steel', 'linen', 'copper', 'wool', 'glass', 'cork', 'leather', 'marble', 'bamboo'];
const things = ['chair', 'lamp', 'table', 'kettle', 'blanket', 'mirror', 'shelf', 'basket', 'bottle', 'clock'];
const colours = ['black', 'white', 'green', 'blue'];
const uses = ['for the kitchen', 'for the garden', 'for the office', 'for children', 'for travelling', 'for the hall'];

/** @typedef {{ id: number, name: string, priceCents: number, trigrams: Set<string> }} Product */

/**
 * The groups of three characters of a text, in lower case.
 * @param {string} text
 * @returns {Set<string>}
 */
export function trigramsOf(text) {
  const padded = `  ${text.toLowerCase()} `;
  const trigrams = new Set();
  for (let at = 0; at + 3 <= padded.length; at++) trigrams.add(padded.slice(at, at + 3));
  return trigrams;
}

/** @returns {readonly Product[]} the same products at every start */
export function buildCatalogue() {
  const products = [];
  for (const material of materials) {
    for (const thing of things) {
      for (const colour of colours) {
        for (const use of uses) {
          const name = `${colour} ${material} ${thing} ${use}`;
          const id = products.length;
          products.push({ id, name, priceCents: 499 + ((id * 7919) % 19_500), trigrams: trigramsOf(name) });
        }
      }
    }
  }
  return products;
}

/**
 * Dice's coefficient of two sets of trigrams: 0 nothing in common, 1 equal.
 * @param {ReadonlySet<string>} asked
 * @param {ReadonlySet<string>} offered
 */
function scoreProduct(asked, offered) {
  let shared = 0;
  for (const trigram of asked) if (offered.has(trigram)) shared++;
  return (2 * shared) / (asked.size + offered.size);
}

/**
 * The ten products that fit a question best.
 * @param {readonly Product[]} catalogue
 * @param {string} question
 */
export function searchCatalogue(catalogue, question) {
  const asked = trigramsOf(question);
  const hits = [];
  for (const product of catalogue) {
    const score = scoreProduct(asked, product.trigrams);
    if (score > 0.1) hits.push({ product, score });
  }
  hits.sort((left, right) => right.score - left.score || left.product.id - right.product.id);
  return hits.slice(0, 10).map(({ product, score }) => ({ id: product.id, name: product.name, score }));
}
