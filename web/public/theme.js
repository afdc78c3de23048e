// Runs before the first paint, so that a chosen theme does not flash. The choice itself is made in src/views/theme-switch.tsx.
(() => {
  const theme = localStorage.getItem('everflame-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
