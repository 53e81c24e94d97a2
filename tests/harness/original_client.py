"""A client that behaves as the original ten-line program does, and no better: it blocks,
reads at most 1024 bytes at once, decodes each read strictly, and speaks only after it has
heard. It sends no delimiter, so the two sides must take turns.

As a program (`original_client.py HOST PORT`) it prints what the original prints
and reads its answers from standard input. As a class it does the same, and a
test types the answers."""

import socket
import sys
from pathlib import Path

ORIGINAL_CLIENT = Path(__file__).resolve()
"""This file, to be run as a program."""
FIRST_WORDS = "This is from Client"
READ_SIZE = 1024


class OriginalClient:
    """Connects and says FIRST_WORDS; then hear() and say() by turns."""

    def __init__(self, address, timeout=None, source=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.socket.sendall(FIRST_WORDS.encode())

    @property
    def address(self):
        """As the daemon names it."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def hear(self):
        """One read. A piece of a character is an error, as it is for the original."""
        return self.socket.recv(READ_SIZE).decode()

    def say(self, text):
        """An empty text sends nothing; the client then listens nonetheless."""
        self.socket.sendall(text.encode())

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    with OriginalClient((host, port)) as client:
        said = None
        while said != "bye":
            print("From Server :", client.hear())
            said = input()
            client.say(said)


if __name__ == "__main__":
    main()
