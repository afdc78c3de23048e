# Everflame in one image: server (the default command) and agent.
#
#   docker build -t everflame .
#
# Node.js comes from the npm package that a clone uses as well (tools/package-lock.json), so that the versions are the same everywhere.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends npm && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# First what changes seldom: the tools.
COPY tools/package.json tools/package-lock.json tools/
RUN npm ci --prefix tools --no-audit --no-fund --loglevel=error && ln -s /build/tools/node_modules/node-linux-*/bin /node
ENV PATH=/node:/build/tools/node_modules/.bin:${PATH} CI=true
COPY . .
RUN pnpm install --frozen-lockfile --reporter=silent && node scripts/build-web.mjs
# Again, without what is needed only to build and to test.
RUN find . -name node_modules -not -path './tools/*' -prune -exec rm -rf {} + \
  && pnpm install --frozen-lockfile --prod --offline --reporter=silent \
  && mkdir -p /image/scripts && cp -a package.json node_modules packages bpf /image/ && cp -a scripts/setup /image/scripts/ \
  && mkdir /image/web && cp -a web/dist /image/web/

FROM ${BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libbpf1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --home-dir /var/lib/everflame --create-home everflame
COPY --from=build /node/node /usr/local/bin/node
COPY --from=build /image /opt/everflame
RUN node /opt/everflame/scripts/setup/image-entry.mjs > /usr/local/bin/everflame && chmod 755 /usr/local/bin/everflame
# Types are taken off and modules compiled here, not at each start. Node.js keeps apart what is compiled with other flags.
ENV NODE_COMPILE_CACHE=/opt/everflame/compile-cache
RUN for name in agent server; do \
    node $(node -p "require('/opt/everflame/packages/cli/src/$name-runtime.json').flags.join(' ')") \
      /opt/everflame/scripts/setup/compile-packages.mjs agent server >/dev/null || exit 1; \
  done
# The server needs no privileges. The agent does: run it as root with what docker-compose.yml gives it.
USER everflame
WORKDIR /var/lib/everflame
VOLUME /var/lib/everflame
ENV EVERFLAME_DATA_DIR=/var/lib/everflame
EXPOSE 4099
ENTRYPOINT ["everflame"]
CMD ["server", "--listen", "0.0.0.0:4099"]
