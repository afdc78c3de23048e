import { expect, test } from 'vitest';
import { CompareAnswer } from './compare.ts';

/** Written anew by `vitest run --project=unit packages/protocols -u`. */
test('the schema of docs/ is that of the route', async () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Answer of GET /api/v1/compare and of everflame diff --format json',
    ...(JSON.parse(JSON.stringify(CompareAnswer)) as object),
  };
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(
    '../../../../docs/compare-answer.schema.json',
  );
});
