import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { alias: { 'd3-transition': fileURLToPath(new URL('src/views/frame-drawing.ts', import.meta.url)) } },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // The server's Content-Security-Policy allows nothing inline, so nothing may become a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { '/api': process.env['EVERFLAME_SERVER'] ?? 'http://127.0.0.1:4099' } },
});
