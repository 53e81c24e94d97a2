"""Many clients in one process, for test_load_clients.py, which tells it what to do a
line at a time on standard input and reads one JSON object a line in answer:

    connect COUNT      so many more connect, each says `hello from TAG` and waits for
                       `answer to TAG`; TAG is different for each
    broadcast TEXT     everyone waits for that line
    bye COUNT          the last so many say bye and wait for their end of file
    leave COUNT        the same, but they just close

Usage: load_clients.py HOST PORT SOURCE NAME

Any byte that a client does not wait for is an error, and is named."""

import json
import selectors
import socket
import sys

WINDOW = 100
"""Clients that connect and wait for an answer at the same time."""


class Herd:
    def __init__(self, address, source, name):
        self.address = address
        self.source = source
        self.name = name
        self.count = 0
        self.clients = {}  # socket by tag, in the order in which they came
        self.errors = []

    def connect(self, count):
        waiting = {}
        with selectors.DefaultSelector() as selector:
            for _ in range(count):
                self.count += 1
                tag = f"{self.name}-{self.count}"
                client = socket.socket()
                client.bind((self.source, 0))
                client.connect(self.address)
                client.sendall(f"hello from {tag}\n".encode())
                self.clients[tag] = client
                waiting[tag] = f"answer to {tag}\n".encode()
                selector.register(client, selectors.EVENT_READ, tag)
                while len(waiting) >= WINDOW:
                    self.read_some(selector, waiting)
            while waiting:
                self.read_some(selector, waiting)

    def read_some(self, selector, waiting):
        for key, _ in selector.select(60) or self.give_up(waiting):
            tag = key.data
            self.read_expected(tag, waiting)
            if tag not in waiting:
                selector.unregister(key.fileobj)

    def give_up(self, waiting):
        self.errors.append(f"nothing more came; {len(waiting)} wait, e.g. {next(iter(waiting))}")
        waiting.clear()
        return []

    def read_expected(self, tag, waiting):
        """Reads from one client; takes it from `waiting` when it has all it waits for."""
        expected = waiting[tag]
        data = self.clients[tag].recv(65536)
        if not data or not expected.startswith(data):
            self.errors.append(f"{tag} got {data!r} instead of {expected!r}")
            del waiting[tag]
        elif data == expected:
            del waiting[tag]
        else:
            waiting[tag] = expected[len(data) :]

    def broadcast(self, text):
        waiting = {tag: text.encode() + b"\n" for tag in self.clients}
        with selectors.DefaultSelector() as selector:
            for tag, client in self.clients.items():
                selector.register(client, selectors.EVENT_READ, tag)
            while waiting:
                self.read_some(selector, waiting)

    def end(self, count, last_word):
        leaving = [(tag, self.clients[tag]) for tag in list(self.clients)[-count:]]
        for start in range(0, len(leaving), WINDOW):
            for _, client in leaving[start : start + WINDOW]:
                client.sendall(last_word)
            for tag, client in leaving[start : start + WINDOW]:
                if last_word:
                    client.settimeout(60)
                    try:
                        rest = client.recv(65536)
                    except OSError as error:
                        rest = repr(error)
                    if rest != b"":
                        self.errors.append(f"{tag} got {rest!r} instead of the end of file")
                client.close()
                del self.clients[tag]


def main():
    host, port, source, name = sys.argv[1:]
    herd = Herd((host, int(port)), source, name)
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        if command == "connect":
            herd.connect(int(argument))
        elif command == "broadcast":
            herd.broadcast(argument)
        else:
            herd.end(int(argument), b"bye\n" if command == "bye" else b"")
        print(json.dumps({"clients": len(herd.clients), "errors": herd.errors}), flush=True)


if __name__ == "__main__":
    main()
