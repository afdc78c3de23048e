// Prices of a cart: quantity rebates, the best set of vouchers, VAT per rate. Money is in whole cents.

const rebates = [
  { quantity: 50, percent: 20 },
  { quantity: 20, percent: 12 },
  { quantity: 5, percent: 5 },
];

/** @param {number} cents @param {number} percent */
const percentOf = (cents, percent) => Math.round((cents * percent) / 100);

/** @typedef {{ productId: number, name: string, quantity: number, cents: number, vatPercent: number }} Line */

/**
 * @param {readonly { name: string, priceCents: number }[]} catalogue
 * @param {readonly { productId: number, quantity: number }[]} wanted
 * @returns {Line[]}
 */
export function priceLines(catalogue, wanted) {
  return wanted.map(({ productId, quantity }) => {
    const product = catalogue.at(productId);
    if (product === undefined) throw new RangeError(`no product ${productId}`);
    const gross = product.priceCents * quantity;
    const rebate = rebates.find((step) => quantity >= step.quantity)?.percent ?? 0;
    const cents = gross - percentOf(gross, rebate);
    return { productId, name: product.name, quantity, cents, vatPercent: productId % 3 === 0 ? 7 : 19 };
  });
}

/**
 * The most that vouchers may take off without going above `limitCents`: the classic knapsack, in steps of 50 cents.
 * @param {readonly number[]} voucherCents
 * @param {number} limitCents
 */
export function chooseVouchers(voucherCents, limitCents) {
  const step = 50;
  const size = Math.floor(Math.min(limitCents, 500_000) / step);
  const best = new Int32Array(size + 1);
  for (const cents of voucherCents) {
    const weight = Math.max(1, Math.floor(cents / step));
    for (let room = size; room >= weight; room--) {
      const taken = (best[room - weight] ?? 0) + cents;
      if (taken > (best[room] ?? 0)) best[room] = taken;
    }
  }
  return Math.min(best[size] ?? 0, limitCents);
}

/**
 * @param {readonly { name: string, priceCents: number }[]} catalogue
 * @param {{ lines: { productId: number, quantity: number }[], vouchers: number[] }} cart
 */
export function priceCart(catalogue, cart) {
  const lines = priceLines(catalogue, cart.lines);
  const totalCents = lines.reduce((sum, line) => sum + line.cents, 0);
  const voucherCents = chooseVouchers(cart.vouchers, Math.floor(totalCents / 2));
  return { lines, totalCents, voucherCents, dueCents: totalCents - voucherCents };
}
