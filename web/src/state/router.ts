import { signal } from '@preact/signals';

/** The URL is the state: everything that a page shows follows from this. */
export const place = signal({ path: location.pathname, search: location.search });

addEventListener('popstate', () => {
  place.value = { path: location.pathname, search: location.search };
});

/** `replace` for what is typed letter by letter, so that "back" leaves the page and not the last letter. */
export function navigate(href: string, how: 'push' | 'replace' = 'push'): void {
  const url = new URL(href, location.href);
  if (url.pathname + url.search === location.pathname + location.search) return;
  if (how === 'push') history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  const moved = url.pathname !== place.value.path;
  place.value = { path: url.pathname, search: url.search };
  if (moved) scrollTo(0, 0);
}
