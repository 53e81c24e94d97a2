"""A flood: many connections from several addresses that say the worst there is as fast as it is
taken. Run by test_load_origins.py, on loopback alone, until standard input ends or for as many
seconds as the last argument says.

    load_flood.py HOST PORT ADDRESSES CONNECTIONS SECONDS

Prints "there" when all are connected, and the number of bytes that were taken at the end.
"""

import selectors
import socket
import sys
import time

# Each of these bytes takes six in JSON, and no message may be longer.
MESSAGE = b"\x01" * 8000 + b"\n"
CHUNK = MESSAGE * 16


def connect_all(host, port, addresses, connections):
    """They come as fast as one address may."""
    for number in range(connections):
        for address in range(addresses):
            sock = socket.socket()
            sock.bind((f"127.0.{1 + address}.1", 0))
            sock.connect((host, port))
            sock.setblocking(False)
            yield sock
        if number % 16 == 15:
            time.sleep(0.5)


def main():
    host, port, addresses, connections, seconds = sys.argv[1], *map(int, sys.argv[2:])
    ready = selectors.DefaultSelector()
    said = {}
    for sock in connect_all(host, port, addresses, connections):
        ready.register(sock, selectors.EVENT_WRITE)
        said[sock] = 0
    ready.register(sys.stdin, selectors.EVENT_READ)
    print("there", flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for key, _ in ready.select(timeout=0.1):
            if key.fileobj is sys.stdin:
                until = 0
                break
            begin = said[key.fileobj] % len(MESSAGE)
            try:
                said[key.fileobj] += key.fileobj.send(CHUNK[begin:])
            except BlockingIOError:
                pass
            except OSError:
                ready.unregister(key.fileobj)
    print(sum(said.values()), flush=True)


main()
