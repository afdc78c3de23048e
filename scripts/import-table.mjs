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

// Public surfaces beside a package's index.ts, for those who must not load all of it.
export const surfaces = {
  agent: ['own-memory'],
  profile: ['write'],
  protocols: ['version-sources', 'write'],
  server: ['zstd'],
};

// Rooms inside a package: which folders of its src/ a folder may import. A folder that is not listed composes others.
export const rooms = {
  agent: {
    health: [],
    words: [],
    kernel: ['health'],
    processes: ['kernel', 'health'],
    symbols: ['processes', 'health'],
    runtimes: ['kernel', 'processes', 'symbols', 'words', 'health'],
    tables: ['kernel', 'processes', 'runtimes', 'symbols', 'health'],
    sampling: ['kernel', 'processes', 'runtimes', 'symbols', 'tables', 'words', 'health'],
    profiles: ['sampling', 'kernel', 'processes', 'runtimes', 'symbols', 'shipping', 'words', 'health'],
    shipping: ['health'],
  },
  server: {
    storage: [],
    source: [],
    ingest: ['storage'],
    query: ['storage'],
    deployments: ['storage', 'query'],
    findings: ['storage', 'query', 'deployments'],
  },
  web: {
    state: [],
    data: ['state'],
    tree: ['data'],
    views: ['tree', 'data', 'state'],
  },
};
