# The images of docker-compose.yml: one target for each kind of host. docs/compose.md
ARG NODE_IMAGE=docker.io/library/node:20.20.2-bookworm-slim

# Fairway itself, with the packages that run; of Temporal's native part what is for this machine.
FROM ${NODE_IMAGE} AS application
WORKDIR /opt/fairway
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +
COPY tsconfig.json ./
COPY bin bin
COPY scripts scripts
COPY examples examples
COPY src src

FROM ${NODE_IMAGE} AS base
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git openssh-client tini \
  && rm -rf /var/lib/apt/lists/*
# A volume takes over what is at its place when it is new: its owner, and the mark that it is a storage.
RUN install -d -o node -g node /var/lib/fairway/environments /var/lib/fairway/keys /var/lib/fairway/maven \
    /var/lib/fairway/storage /var/lib/fairway/storage/.fairway-storage /var/lib/fairway/work \
  && install -d -o node -g node -m 700 /var/lib/fairway/secrets
WORKDIR /opt/fairway
ENV NODE_ENV=production
# Memory that is free goes back to the system: docs/operations.md, "Sizes".
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_MMAP_MAX_=16384 MALLOC_TRIM_THRESHOLD_=131072
ENTRYPOINT ["tini", "--", "node", "/opt/fairway/bin/fairway.mjs"]
CMD ["--help"]

# The command, the API, the orchestrator.
FROM base AS fairway
COPY --from=application /opt/fairway /opt/fairway
USER node

# A worker that builds, with Maven as a process of its own container.
FROM base AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless \
  && rm -rf /var/lib/apt/lists/*
COPY --from=application /opt/fairway /opt/fairway
USER node

# The stand-in of the dispatcher module.
FROM base AS module
RUN apt-get update \
  && apt-get install -y --no-install-recommends apache2-dev gcc libc6-dev \
  && rm -rf /var/lib/apt/lists/*
COPY --from=application /opt/fairway /opt/fairway
RUN node --import tsx --input-type=module -e \
    "import { buildModule } from '/opt/fairway/src/local/dispatcher/build-module.ts'; await buildModule('/opt/module')" \
  && mv /opt/module/mod_dispatcher-*/mod_dispatcher.so /opt/module/

# The local AEM environments: stand-ins of AEM, Apache httpd, HAProxy, and the agents of the dispatchers.
FROM base AS environments
RUN apt-get update \
  && apt-get install -y --no-install-recommends apache2 haproxy \
  && rm -rf /var/lib/apt/lists/*
COPY --from=application /opt/fairway /opt/fairway
COPY --from=module /opt/module/mod_dispatcher.so /opt/fairway/mod_dispatcher.so
ENV FAIRWAY_MOD_DISPATCHER=/opt/fairway/mod_dispatcher.so
USER node
ENTRYPOINT ["tini", "--", "node", "--import", "tsx", "/opt/fairway/src/local/environments.ts"]
