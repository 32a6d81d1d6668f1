# Sluice as one file and one that is compiled for the machine, with Node and the tools it starts, and nothing else.
#
# What a container needs (tested in test/cli/e2e-capabilities.test.ts): the node's network, root, and
# NET_ADMIN alone of all capabilities. Where the node's rules stand in legacy iptables: NET_RAW too. Root,
# as Kubernetes gives no capability to other users. The root file system may be read-only.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY rules rules
COPY src src
RUN npm run build

FROM debian:12.12-slim
# iproute2 is for `sluice doctor`.
RUN apt-get update \
 && apt-get install -y --no-install-recommends conntrack iproute2 iptables libstdc++6 nftables \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /opt/sluice
COPY package.json LICENSE ./
COPY bin bin
COPY --from=build /build/dist dist
# On PATH, for `kubectl exec`.
RUN ln -s ../../../opt/sluice/bin/sluice ../../usr/local/bin/sluice
ENTRYPOINT ["/opt/sluice/bin/sluice"]
CMD ["run"]
