import type { Page } from 'playwright-core';
import { settled } from './page-browser.ts';

/** What a reader can do with a flame graph that is open; each leaves the page drawn. */
type Act = (page: Page) => Promise<void>;

const acts: readonly Act[] = [
  async (page) => page.getByLabel('Search functions').fill('func'),
  async (page) => page.getByRole('region', { name: 'Functions' }).evaluate((table) => table.scrollTo(0, 5000)),
  async (page) => page.locator('g.frame').nth(5).click(),
  async (page) => page.getByLabel('Filter the table by function, file or binary').fill('func1'),
  async (page) => page.getByRole('button', { name: 'Total', exact: true }).click(),
  async (page) => page.locator('g.frame').nth(3).hover(),
  async (page) => page.keyboard.press('Escape'),
];

/** A way to look at a tree: parameters of /flamegraph, and what is done there once it is drawn, if anything. */
export interface PageView {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly act?: Act;
  /** One of those whose longest tasks were the longest when all were measured. */
  readonly isHeavy?: boolean;
}

/** Every view of the samples, and every act in the one that is shown first. */
export const pageViews: readonly PageView[] = [
  ...['table', 'tree'].map((show) => ({ name: show, parameters: { show } })),
  { name: 'source', parameters: { show: 'source' }, isHeavy: true },
  { name: 'sandwich', parameters: { show: 'sandwich' }, isHeavy: true },
  { name: 'lines', parameters: { frames: 'line' }, isHeavy: true },
  { name: 'inverted', parameters: { order: 'callers' }, isHeavy: true },
  { name: 'libraries grouped', parameters: { libraries: 'grouped' } },
  { name: 'flames by heat', parameters: { grow: 'up', colours: 'heat' } },
  {
    name: 'acts',
    parameters: {},
    isHeavy: true,
    act: async (page) => {
      for (const act of acts) {
        await act(page);
        await settled(page);
      }
    },
  },
];
