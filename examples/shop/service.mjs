// The shop: catalogue search, cart prices, invoices. Plain HTTP on loopback unless told otherwise.
//
//   OTEL_SERVICE_NAME=shop OTEL_RESOURCE_ATTRIBUTES=service.version=1.0.0 node --perf-basic-prof service.mjs
//
// This is 1.0.0; see releases.mjs for what later versions change in it. SHOP_LISTEN=HOST:PORT, port 0 for any.
import { createServer } from 'node:http';
import { buildCatalogue, searchCatalogue } from './catalogue.mjs';
import { priceCart, priceLines } from './cart.mjs';
import { renderInvoice } from './invoice.mjs';

const maxBodyBytes = 64 * 1024;
const attributes = new URLSearchParams((process.env.OTEL_RESOURCE_ATTRIBUTES ?? '').replaceAll(',', '&'));
const version = attributes.get('service.version') ?? '1.0.0';
const catalogue = buildCatalogue();

/** @param {import('node:http').IncomingMessage} request */
async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxBodyBytes) throw new RangeError(`a body may have ${maxBodyBytes} bytes`);
  }
  return JSON.parse(text);
}

/** The lines of invoice `number`: the same ones whenever it is asked for. */
function linesOfInvoice(number) {
  const wanted = [];
  for (let index = 0; index < 175; index++) {
    wanted.push({ productId: (number * 31 + index * 17) % catalogue.length, quantity: 1 + ((number + index) % 60) });
  }
  return priceLines(catalogue, wanted);
}

/** @param {import('node:http').IncomingMessage} request */
async function answer(request) {
  const url = new URL(request.url ?? '/', 'http://shop');
  if (request.method === 'GET' && url.pathname === '/catalogue') {
    return {
      type: 'application/json',
      body: JSON.stringify(searchCatalogue(catalogue, url.searchParams.get('q') ?? '')),
    };
  }
  if (request.method === 'POST' && url.pathname === '/cart') {
    return { type: 'application/json', body: JSON.stringify(priceCart(catalogue, await readJson(request))) };
  }
  if (request.method === 'GET' && /^\/invoices\/[0-9]{1,9}$/u.test(url.pathname)) {
    const number = Number(url.pathname.slice('/invoices/'.length));
    return { type: 'text/html; charset=utf-8', body: renderInvoice(number, linesOfInvoice(number)) };
  }
  if (request.method === 'GET' && url.pathname === '/version') return { type: 'text/plain', body: `${version}\n` };
  return null;
}

const server = createServer(async (request, response) => {
  try {
    const found = await answer(request);
    if (found === null) response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page\n');
    else response.writeHead(200, { 'content-type': found.type }).end(found.body);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    response.writeHead(400, { 'content-type': 'text/plain' }).end(`${error.message}\n`);
  }
});

// Customers keep their connections; one that is closed just when it is used again would be a failed request.
server.keepAliveTimeout = 75_000;
const listen = process.env.SHOP_LISTEN ?? '127.0.0.1:0';
const colon = listen.lastIndexOf(':');
server.listen(Number(listen.slice(colon + 1)), listen.slice(0, colon), () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a TCP port');
  console.log(`ready http://${address.address}:${address.port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
