"""Clients on raw sockets, for tests that speak in bytes. Of the daemon this knows only how
it writes an address."""

import os
import select
import socket
import struct
import time

from harness.waiting import GUARD


def parse_endpoint(text):
    """What connect() takes, from "127.0.0.1:80", "[::1]:80" or "unix:/path"."""
    if text.startswith("unix:"):
        return text[len("unix:") :]
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def connect(address, source=None, timeout=GUARD, receive_buffer=None):
    """A blocking socket to what parse_endpoint() returns. `source` is an address to
    connect from. `receive_buffer` bounds what the kernel receives before we read it."""
    if isinstance(address, str):
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            sock.bind((source, 0))
        sock.settimeout(timeout)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


class Client:
    """A client on a raw socket, for tests that speak in bytes."""

    def __init__(self, address, **how):
        self.connecting_at = time.monotonic()
        self.socket = connect(address, **how)
        self.pending = b""

    @property
    def address(self):
        """As the daemon names it."""
        name = self.socket.getsockname()
        if isinstance(name, (str, bytes)):
            return f"uid:{os.getuid()}"
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, interval=0.002):
        """Byte by byte, every `interval` seconds: mostly each is a segment of its own."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            self.socket.sendall(bytes([byte]))
            time.sleep(interval)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"nothing more came after {self.pending[-200:]!r}") from None
        self.pending += data
        return data

    def take(self, count):
        """Returns exactly `count` bytes; what follows is kept for later."""
        while len(self.pending) < count:
            assert self._more(), f"end of file after {self.pending[-200:]!r}, of {count} bytes"
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def take_line(self):
        """Returns all up to the next LF, with it."""
        while b"\n" not in self.pending:
            assert self._more(), f"end of file after {self.pending[-200:]!r}"
        return self.take(self.pending.index(b"\n") + 1)

    def take_all(self):
        """Returns all up to the end of file. A reset is an error (ConnectionResetError)."""
        while self._more():
            pass
        taken, self.pending = self.pending, b""
        return taken

    def expect(self, data):
        """Asserts that the next bytes are these."""
        got = self.take(len(data))
        assert got == data, f"{got!r} instead of {data!r}"

    def expect_end(self):
        """Asserts that the next thing is an end of file, and not a reset."""
        rest = self.take_all()
        assert rest == b"", f"{rest!r} before the end of file"

    def expect_silence(self, seconds):
        """Asserts that neither a byte nor an end of file comes for that long."""
        assert self.pending == b"", f"{self.pending!r}"
        readable, _, _ = select.select([self.socket], [], [], seconds)
        assert not readable, f"{self.socket.recv(65536)!r} where nothing should come"

    def close_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def leave(self):
        """Leaves as a line client does: says bye, reads what still comes and closes. (For the
        daemon, one that just closes after a question may be waiting for the answer.)"""
        self.send(b"bye\n")
        rest = self.take_all()
        self.close()
        return rest

    def reset(self):
        """Ends the connection by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
