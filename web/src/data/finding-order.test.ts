import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { inOrder } from './finding-order.ts';

/** `at service verdict part` */
function drawn(text: string) {
  const [at, service = '', verdict, part] = text.split(' ');
  return {
    text,
    at: Number(at),
    service,
    environment: '',
    verdict: verdict as http.Finding['verdict'],
    part: part === '-' ? null : Number(part),
  };
}

test('the newest change comes first, and of one change what costs most', () => {
  const texts = [
    '1 b regressed 0.9',
    '2 b improved -0.5',
    '2 b regressed 0.1',
    '2 b new 0.3',
    '2 b improved -',
    '2 a gone -0.1',
  ];
  expect(inOrder(texts.map(drawn)).map(({ text }) => text)).toEqual([
    '2 a gone -0.1',
    '2 b new 0.3',
    '2 b regressed 0.1',
    '2 b improved -0.5',
    '2 b improved -',
    '1 b regressed 0.9',
  ]);
});
