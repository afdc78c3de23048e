// Who may import whom. Arrows point downwards only; checked by scripts/check-imports.mjs.
export const allowed = {
  profile: [],
  compare: ['profile'],
  protocols: ['profile'],
  binary: ['profile'],
  agent: ['binary', 'profile', 'protocols'],
  server: ['binary', 'compare', 'profile', 'protocols'],
  cli: ['agent', 'server', 'binary', 'compare', 'profile', 'protocols'],
  web: ['compare', 'profile', 'protocols'],
};
