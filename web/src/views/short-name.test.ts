import { expect, test } from 'vitest';
import { functionOfFrame, shortFrameName, shortName } from './short-name.ts';

test('C++ names lose parameters and template arguments', () => {
  expect(shortName('shop::Catalogue<std::string, int>::search(char const*, unsigned long) const')).toBe(
    'shop::Catalogue<…>::search',
  );
  expect(shortName('v8::internal::(anonymous namespace)::Invoke(v8::internal::Isolate*, InvokeParams const&)')).toBe(
    'v8::internal::(anonymous namespace)::Invoke',
  );
  const lambda =
    'node::LibuvStreamWrap::ReadStart()::{lambda(uv_stream_s*, long, uv_buf_t const*)#2}::_FUN(uv_stream_s*, long)';
  expect(shortName(lambda)).toBe(
    'node::LibuvStreamWrap::ReadStart()::{lambda(uv_stream_s*, long, uv_buf_t const*)#2}::_FUN',
  );
  expect(shortName('void std::sort<int*, Compare>(int*, int*, Compare)')).toBe('std::sort<…>');
});

test('scripts lose their folder and keep how they were compiled', () => {
  expect(shortName("JS:*'searchCatalogue file:///opt/shop/catalogue.mjs:55:32")).toBe(
    "*'searchCatalogue catalogue.mjs:55",
  );
  expect(shortName('JS:^ file:///opt/shop/service.mjs:56:29')).toBe('^(anonymous) service.mjs:56');
  expect(shortName('JS:~emit node:events:489:44')).toBe('~emit node:events:489');
});

test('names of other languages stay as they are', () => {
  for (const name of [
    'main.(*Server).handleConnection.func1',
    '<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop',
    'renderInvoice /app/src/invoice.ts:12',
    'std::function<void ()>::operator()(int) const',
    '[libfoo.so+0x1234]',
  ]) {
    expect(shortName(name)).toBe(name);
  }
});

test('a line is called after its function and the name of its file', () => {
  expect(
    shortFrameName('std::sort<int*>(int*, int*) /usr/include/c++/12/algo.h:9', '/usr/include/c++/12/algo.h:9'),
  ).toBe('std::sort<…> algo.h:9');
  expect(functionOfFrame('a b c.c:7', 'c.c:7')).toBe('a b');
  for (const [name, file] of [
    ['f c.c', 'c.c'],
    ['f c.c:7', 'd.c:7'],
    ['f', ''],
  ] as const) {
    expect(functionOfFrame(name, file)).toBe(name);
  }
});
