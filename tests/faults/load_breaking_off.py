"""Clients that break off: they come by the thousand, each gets so far with its TLS handshake or
the head of its request, and leaves in one of many ways; beside them others are as slow as they
may be, or flood. Run by test_load_handshakes.py, on loopback alone.

    load_breaking_off.py KIND HOST PORT REQUIRED_PORT COUNT

KIND is "tls" or "http". At REQUIRED_PORT nothing but TLS is taken. Prints "there" when the slow
ones are, and at the end, as JSON, how many have broken off in each way and how many of the slow
ones were sent away. Ends, with its connections, when all have broken off."""

import json
import selectors
import socket
import ssl
import struct
import sys
import time

AT_ONCE = 300
SLOW = 60  # of each sort
TICK = 0.05  # seconds between two bytes of the slow ones
PINGS = 40  # of a flood, at each tick
RESET = struct.pack("ii", 1, 0)
UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PING = b"\x89\xfd\0\0\0\0" + b"p" * 125
GARBAGE = b"\x17\x03\x03\x00\x35" + b"g" * 0x35
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def client_hello():
    """One of TLS 1.3 as OpenSSL makes it. The server cannot know that each says the same."""
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def with_key_share(hello, shares):
    """The same with other shares in its extension key_share (RFC 8446, 4.2.8)."""
    body = hello[9:]  # behind the headers of the record and of the message
    at = 34  # the version, and random bytes
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    extensions, rest = b"", body[at + 2 :]
    while rest:
        kind, size = struct.unpack(">HH", rest[:4])
        data, rest = rest[4 : 4 + size], rest[4 + size :]
        if kind == 0x33:
            data = struct.pack(">H", len(shares)) + shares
        extensions += struct.pack(">HH", kind, len(data)) + data
    body = body[:at] + struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return hello[:3] + struct.pack(">H", len(message)) + message


# What is said first, whether an answer is waited for, what is said then, how it ends, and whether
# it is at the port where only TLS is taken: a byte or two that may become TLS are chat elsewhere.
def ways_of_tls():
    hello = client_hello()
    weak = with_key_share(hello, b"\x00\x1d\x00\x20" + bytes(32))
    none = with_key_share(hello, b"")
    return {
        "silent": (b"", False, b"", "close", False),
        "one byte": (hello[:1], False, b"", "close", True),
        "one byte, reset": (hello[:1], False, b"", "reset", False),
        "five bytes": (hello[:5], False, b"", "half", True),
        "five bytes, reset": (hello[:5], False, b"", "reset", False),
        "six bytes": (hello[:6], False, b"", "close", False),
        "100 bytes": (hello[:100], False, b"", "half", False),
        "100 bytes, reset": (hello[:100], False, b"", "reset", False),
        "hello, reset": (hello, False, b"", "reset", False),
        "hello, half": (hello, False, b"", "half", False),
        "flight": (hello, True, b"", "close", False),
        "flight, half": (hello, True, b"", "half", False),
        "flight, reset": (hello, True, b"", "reset", False),
        "garbage": (hello, True, GARBAGE, "hear", False),
        "half a Finished": (hello, True, GARBAGE[:20], "close", False),
        "alert": (hello, True, ALERT, "hear", False),
        "weak key share": (weak, False, b"", "hear", False),
        "retry": (none, True, b"", "reset", False),
        "retry, the same again": (none, True, none, "hear", False),
    }


def ways_of_http():
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"x" * 200 + b"\r\n\r\n"
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"
    return {
        "silent": (b"", False, b"", "close", False),
        "one byte, reset": (head[:1], False, b"", "reset", False),
        "half a line, reset": (head[:8], False, b"", "reset", False),
        "a line": (head[:16], False, b"", "close", False),
        "a line, half": (head[:16], False, b"", "half", False),
        "half a head": (head[:100], False, b"", "close", False),
        "half a head, reset": (head[:100], False, b"", "reset", False),
        "head, reset": (head, False, b"", "reset", False),
        "page": (head, False, b"", "hear", False),
        "garbage": (head[:16] + b"\x01: \xff\r\n\r\n", False, b"", "hear", False),
        "body": (body, False, b"", "hear", False),
        "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", False, b"", "hear", False),
        "upgrade, reset": (UPGRADE, True, b"", "reset", False),
    }


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


class Herd:
    def __init__(self, kind, host, port, required_port, count):
        self.ways = list((ways_of_tls() if kind == "tls" else ways_of_http()).items())
        self.host, self.ports = host, {False: port, True: required_port}
        self.count, self.made = count, 0
        self.done = {name: 0 for name, _ in self.ways}
        self.selector = selectors.DefaultSelector()
        self.under_way = 0
        self.slow = {}  # what is still to be said, by socket
        self.floods = set()
        self.sent_away = 0
        hello = client_hello()
        # A handshake that is stuck, a head, a frame whose end never comes.
        self.slow_ones = [b"GET / HTTP/1.1\r\nX: ", UPGRADE + b"\x81\xfe\x10\x00\0\0\0\0"]
        self.slow_ones += [hello, hello[:50]] if kind == "tls" else []

    def connect(self, required=False):
        sock = socket.socket()
        self.made += 1
        sock.bind((f"127.0.{1 + self.made % 50}.2", 0))
        sock.connect((self.host, self.ports[required]))
        sock.setblocking(False)
        return sock

    def run(self):
        for first in self.slow_ones:
            for _ in range(SLOW):
                self.add_slow(first)
        for _ in range(4):
            sock = self.connect()
            sock.send(UPGRADE)
            self.floods.add(sock)
            self.selector.register(sock, selectors.EVENT_READ)
        print("there", flush=True)
        begun, next_tick = 0, time.monotonic()
        while begun < self.count or self.under_way:
            while begun < self.count and self.under_way < AT_ONCE:
                self.begin(*self.ways[begun % len(self.ways)])
                begun += 1
                if begun % 20 == 0:
                    break
            for key, _ in self.selector.select(0 if begun < self.count else TICK):
                self.go_on(key.fileobj, key.data)
            if time.monotonic() >= next_tick:
                self.tick()
                next_tick = time.monotonic() + TICK
        print(json.dumps({"ways": self.done, "sent_away": self.sent_away}), flush=True)

    def begin(self, name, way):
        first, waits, _, _, required = way
        sock = self.connect(required)
        self.under_way += 1
        if first:
            self.say(sock, first)
        if waits:
            self.selector.register(sock, selectors.EVENT_READ, (name, way))
        else:
            self.leave(sock, name, way)

    def say(self, sock, data):
        try:
            sock.send(data)
        except OSError:
            pass  # it was sent away meanwhile

    def leave(self, sock, name, way):
        how = way[3]
        if how in ("close", "reset"):
            self.gone(name)
            reset(sock) if how == "reset" else sock.close()
            return
        if how == "half":
            try:
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        self.selector.register(sock, selectors.EVENT_READ, (name, None))

    def gone(self, name):
        self.under_way -= 1
        self.done[name] += 1

    def go_on(self, sock, data):
        try:
            heard = sock.recv(1 << 16)
        except OSError:
            heard = b""
        if data is None:  # a slow one, or a flood
            if not heard:
                self.replace(sock)
            return
        name, way = data
        if way is not None:
            self.selector.unregister(sock)
            if heard:
                self.say(sock, way[2])
                self.leave(sock, name, way)
                return
        elif heard:
            return
        else:
            self.selector.unregister(sock)
        sock.close()
        self.gone(name)

    def add_slow(self, first):
        sock = self.connect()
        self.say(sock, first)
        self.slow[sock] = first
        self.selector.register(sock, selectors.EVENT_READ)

    def replace(self, sock):
        self.sent_away += 1
        self.selector.unregister(sock)
        sock.close()
        self.floods.discard(sock)
        first = self.slow.pop(sock, None)
        if first is not None:
            self.add_slow(first)

    def tick(self):
        """A byte of each slow one but those whose handshake is stuck, and a flood of pings."""
        for sock, first in self.slow.items():
            if not first.startswith(b"\x16") or len(first) == 50:
                self.say(sock, b"x")
        for sock in self.floods:
            self.say(sock, PING * PINGS)


kind, host, *numbers = sys.argv[1:]
Herd(kind, host, *map(int, numbers)).run()
