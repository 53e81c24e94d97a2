# chatd in a container: the two programs and their run-time libraries, without the tools
# that built them.
#
#   docker build -t chatd .
#   docker run -d --name chatd -p 8080:8080 -v chatd:/var/lib/chatd chatd
#   docker exec -it chatd chatctl              the console of that daemon
#   docker run -it --rm -p 8080:8080 chatd     this terminal is the console
#
# doc/operations.md says how it is configured, upgraded and watched.

# The base is bookworm-slim as it was on 2026-08-24, by its digest: nobody can put another in
# its place. `docker buildx imagetools inspect debian:bookworm-slim` prints the digest of today;
# what Debian has mended since is installed on top of it.
ARG BASE=docker.io/library/debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171

FROM ${BASE} AS base
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y upgrade && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb

FROM base AS build
WORKDIR /src
# The packages first: they seldom change, so this layer is kept from build to build.
COPY cmake/packages.sh cmake/packages.txt cmake/
RUN cmake/packages.sh build
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release && \
    cmake --install build/release --strip --prefix /installed && \
    cmake/sbom.sh "$(sed -n 's/^project(chatd VERSION \([^ ]*\).*/\1/p' CMakeLists.txt)" \
        /installed/bin/chatd /installed/bin/chatctl >/installed/sbom.spdx.json

FROM base
COPY cmake/packages.sh cmake/packages.txt /tmp/cmake/
# No program in it gives whoever runs it the rights of another user.
RUN /tmp/cmake/packages.sh run && rm -rf /tmp/cmake /var/lib/apt/lists/* && \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} + && \
    useradd --system --no-create-home --home-dir /var/lib/chatd chatd && \
    install -d -o chatd -g chatd -m 0700 /var/lib/chatd /run/chatd && \
    install -d /etc/chatd
COPY --from=build /installed/bin/chatd /installed/bin/chatctl /usr/bin/
COPY --from=build /installed/sbom.spdx.json /usr/share/doc/chatd/sbom.spdx.json
COPY config/chatd.toml /etc/chatd/chatd.toml

# Both programs use this socket, whichever user `docker exec` runs as.
ENV CHATD_CONTROL_PATH=/run/chatd/control.sock \
    CHATD_SOCKET=/run/chatd/control.sock \
    STATE_DIRECTORY=/var/lib/chatd \
    LANG=C.UTF-8
USER chatd
EXPOSE 8080
VOLUME /var/lib/chatd
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["chatctl", "stats"]
# Nobody outside reaches a container's 127.0.0.1, so chatd listens on all of its addresses,
# and `docker run -p` decides who reaches those. Other arguments replace this.
ENTRYPOINT ["chatd"]
CMD ["--listen", "0.0.0.0:8080"]
