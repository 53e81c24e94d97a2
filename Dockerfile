# chatd in a container: the two programs and their run-time libraries, without the tools
# that built them.
#
#   docker build -t chatd .
#   docker run -d --name chatd -p 8080:8080 -v chatd:/var/lib/chatd chatd
#   docker exec -it chatd chatctl              the console of that daemon
#   docker run -it --rm -p 8080:8080 chatd     this terminal is the console
#
# doc/operations.md says how it is configured, upgraded and watched.

FROM docker.io/library/debian:bookworm-slim AS build
WORKDIR /src
# The packages first: they seldom change, so this layer is kept from build to build.
COPY cmake/packages.sh cmake/packages.txt cmake/
RUN cmake/packages.sh build
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release && \
    cmake --install build/release --strip --prefix /installed

FROM docker.io/library/debian:bookworm-slim
COPY cmake/packages.sh cmake/packages.txt /tmp/cmake/
RUN /tmp/cmake/packages.sh run && rm -rf /tmp/cmake /var/lib/apt/lists/* && \
    useradd --system --no-create-home --home-dir /var/lib/chatd chatd && \
    install -d -o chatd -g chatd -m 0700 /var/lib/chatd /run/chatd && \
    install -d /etc/chatd
COPY --from=build /installed/bin/chatd /installed/bin/chatctl /usr/bin/
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
