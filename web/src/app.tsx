import { ComparePage } from './pages/compare-page.tsx';
import { FlamegraphPage } from './pages/flamegraph-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { compareHref, flamegraphHref, overviewHref } from './state/page-state.ts';
import { place } from './state/router.ts';
import { Link } from './views/link.tsx';
import { Palette } from './views/palette.tsx';
import { ThemeSwitch } from './views/theme-switch.tsx';

export function App() {
  const { path, search } = place.value;
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <Link href={overviewHref({})} class="brand">
          <img src="/flame.svg" alt="" width="20" height="20" />
          Everflame
        </Link>
        <nav aria-label="Pages">
          <Link href={overviewHref({})} current={path === '/'}>
            Overview
          </Link>
          <Link href={flamegraphHref({})} current={path === '/flamegraph'}>
            Explore
          </Link>
          <Link href={compareHref({})} current={path === '/compare'}>
            Compare
          </Link>
        </nav>
        <Palette />
        <ThemeSwitch />
      </header>
      <main id="content" data-place={path + search}>
        <Page path={path} search={search} />
      </main>
    </>
  );
}

function Page({ path, search }: { path: string; search: string }) {
  switch (path) {
    case '/':
      return <OverviewPage search={search} />;
    case '/flamegraph':
      return <FlamegraphPage search={search} />;
    case '/compare':
      return <ComparePage search={search} />;
    default:
      return (
        <section class="empty">
          <h1>There is no page {path}</h1>
          <p>
            <Link href="/">Go to the overview</Link>
          </p>
        </section>
      );
  }
}
