import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ComparePage } from './pages/compare-page.tsx';
import { DeploymentsPage } from './pages/deployments-page.tsx';
import { FindingsPage } from './pages/findings-page.tsx';
import { FlamegraphPage } from './pages/flamegraph-page.tsx';
import { HealthPage } from './pages/health-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { UploadPage } from './pages/upload-page.tsx';
import { navigate, place } from './state/router.ts';
import { copyToClipboard } from './views/copy-to-clipboard.ts';
import { Link } from './views/link.tsx';
import { Palette } from './views/palette.tsx';
import { ThemeSwitch } from './views/theme-switch.tsx';
import { setTheme } from './views/theme.ts';
import { useActions } from './views/use-actions.ts';

const pages: readonly {
  readonly path: string;
  readonly name: string;
  readonly view: (props: { search: string }) => JSX.Element;
}[] = [
  { path: '/', name: 'Overview', view: OverviewPage },
  { path: '/flamegraph', name: 'Explore', view: FlamegraphPage },
  { path: '/compare', name: 'Compare', view: ComparePage },
  { path: '/findings', name: 'Findings', view: FindingsPage },
  { path: '/deployments', name: 'Deployments', view: DeploymentsPage },
  { path: '/collection', name: 'Collection', view: HealthPage },
  { path: '/upload', name: 'Files', view: UploadPage },
];

export function App() {
  const { path, search } = place.value;
  const page = pages.find((one) => one.path === path);
  useActions('Pages', [
    ...pages.map((one) => ({ name: `Go to ${one.name}`, run: () => navigate(one.path) })),
    { name: 'Copy a link to this view', run: () => void copyToClipboard(location.href) },
    { name: 'Light colours', run: () => setTheme('light') },
    { name: 'Dark colours', run: () => setTheme('dark') },
    { name: 'Colours of the system', run: () => setTheme('system') },
  ]);
  // What a screen reader hears of a change of page.
  useEffect(() => {
    document.querySelector<HTMLElement>('#announce')?.replaceChildren(page?.name ?? '');
  }, [page]);
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <Link href="/" class="brand">
          <img src="/flame.svg" alt="" width="20" height="20" />
          Everflame
        </Link>
        <nav aria-label="Pages">
          {pages.map((one) => (
            <Link key={one.path} href={one.path} current={one.path === path}>
              {one.name}
            </Link>
          ))}
        </nav>
        <Palette />
        <ThemeSwitch />
      </header>
      <main id="content" data-place={path + search}>
        {page === undefined ? (
          <section class="empty">
            <h1>There is no page {path}</h1>
            <p>
              <Link href="/">Go to the overview</Link>
            </p>
          </section>
        ) : (
          <page.view key={page.path} search={search} />
        )}
      </main>
      <div id="announce" class="visually-hidden" aria-live="polite" />
    </>
  );
}
