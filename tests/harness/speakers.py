"""Clients of every kind, as state machines: what comes from a socket goes in, and texts come out.
Each has a name and says numbered texts, one at a time; all texts end with a full stop, so that
those who mark no ends tell them apart. None of them waits: crowd.py does."""

import collections
import json
import os
import re
import socket
import ssl

from harness.clients import connect
from harness.web import CLOSE, PAGE, PING, PONG, TEXT, WebSocket, first_frame, upgrade


def proxy_v1(host, port=4711):
    return f"PROXY TCP4 {host} 192.0.2.1 {port} 8080\r\n".encode()


def proxy_v2(host, port=4711):
    addresses = socket.inet_aton(host) + socket.inet_aton("192.0.2.1")
    ports = port.to_bytes(2, "big") + (8080).to_bytes(2, "big")
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + (12).to_bytes(2, "big") + addresses + ports


class Wire:
    """A connection, plain or within TLS. What is written may go out in two parts, the second one
    with finish(). `before` goes in front of everything."""

    def __init__(self, address, source=None, before=b"", context=None):
        self.socket = connect(address, source=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(before)
        self.rest = b""
        self.ready = context is None
        self.tls = None
        if context:
            self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
            self._shake_hands()

    def _shake_hands(self):
        try:
            self.tls.do_handshake()
            self.ready = True
        except ssl.SSLWantReadError:
            pass
        self._send(self.outgoing.read())

    def _send(self, data):
        if self.rest:
            self.rest += data
        elif data:  # Even nothing cannot be sent behind the end of sending.
            self.socket.sendall(data)

    def read(self):
        """What came, as plain text, and whether that was the end."""
        data = self.socket.recv(65536)
        if self.tls is None:
            return data, not data
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        text = b""
        try:
            if not self.ready:
                self._shake_hands()
            while self.ready:
                piece = self.tls.read(65536)
                if not piece:
                    return text, True
                text += piece
        except ssl.SSLWantReadError:
            self._send(self.outgoing.read())
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return text, True
        return text, not data

    def write(self, data, cut=False):
        """`cut`: one part of it now, within a character if it has one that is longer than a byte,
        and the rest with finish()."""
        if self.tls:
            self.tls.write(data)
            data = self.outgoing.read()
        place = (data.find(b"\xc3") + 1 or len(data) // 2) if cut and not self.rest else len(data)
        self._send(data[:place])
        self.rest += data[place:]

    def finish(self):
        rest, self.rest = self.rest, b""
        self.socket.sendall(rest)

    def end_sending(self, bare):
        """A bare end of file, or within TLS also close_notify."""
        if self.tls and not bare:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            self._send(self.outgoing.read())
        else:
            self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()


class Line:
    """Ends each text with LF. `make` makes its Wire.

    said   every text so far
    due    the texts that it has to hear, in this order
    error  what went wrong; nothing else counts then"""

    END = b"\n"
    DIALECT = "line"
    HEARS_ALL = True
    """Whether it hears what is said to all."""

    def __init__(self, name, make):
        self.name = name
        self.make = make
        self.wire = None
        self.ready = False  # to say something
        self.said = []
        self.texts = 0  # of them, those that are answered
        self.due = collections.deque()
        self.pending = b""
        self.next_at = 0.0  # when it does the next thing
        self.error = None

    def connect(self):
        self.pending = b""
        self.wire = self.make()
        if self.wire.ready:
            self.begin()

    def begin(self):
        """The connection is there."""
        self.ready = True

    def can_say(self):
        return self.ready

    def may_be_cut(self):
        # The first text shows what this is.
        return self.texts > 1

    def say_next(self):
        """Says its next text, or the first part of it."""
        self.texts += 1
        text = f"{self.name} says {self.texts}, häh."
        self.said.append(text)
        self.due.append(answer_to(text))
        self.say(text)

    def say(self, text):
        self.wire.write(self.encode(text), cut=self.may_be_cut())

    def nudge(self):
        """Does what it takes to hear what is due; most only have to wait."""

    def hear(self):
        """Reads once. Returns whether the connection has ended."""
        data, ended = self.wire.read()
        if not self.ready and self.wire.ready and not ended:
            self.begin()
        for text in self.decode(data):
            if not self.due or self.due[0] != text:
                self.error = f"{text!r} instead of {list(self.due)}"
                return True
            self.due.popleft()
        return ended

    def come_back(self):
        """The connection has ended. Returns whether that is all right; if it is, and the client has
        connected again, `wire` is another one."""
        return False

    def encode(self, text):
        return text.encode() + self.END

    def decode(self, data):
        *lines, self.pending = (self.pending + data).split(self.END)
        return [line.decode() for line in lines]


class Telnet(Line):
    """Asks for options first, which are all refused, and ends lines with CR LF."""

    END = b"\r\n"
    DIALECT = "telnet"
    OPTIONS = b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f"

    def begin(self):
        self.wire.write(self.OPTIONS)
        self.ready = True

    def decode(self, data):
        return super().decode(re.sub(rb"\xff[\xfc\xfe].", b"", data, flags=re.DOTALL))


class Raw(Line):
    """Marks no end: what it sends at once is a text."""

    DIALECT = "raw"

    def may_be_cut(self):
        return self.wire.tls is not None and self.texts > 1  # A record is whole, or nothing.

    def encode(self, text):
        return text.encode()

    def decode(self, data):
        *texts, self.pending = (self.pending + data).split(b".")
        return [text.decode().lstrip("\n") + "." for text in texts]


class Original(Raw):
    """Speaks at once, and from then on reads and speaks by turns. Where more is due than it has read,
    it says something that nobody answers."""

    DIALECT = "original"

    def __init__(self, name, make):
        super().__init__(name, make)
        self.listening = False

    def begin(self):
        self.ready = True
        self.say_next()

    def can_say(self):
        return self.ready and not self.listening

    def say(self, text):
        self.listening = True
        super().say(text)

    def nudge(self):
        if self.can_say():
            text = f"{self.name} waits {len(self.said)}."
            self.said.append(text)
            self.say(text)

    def hear(self):
        ended = super().hear()
        self.listening = False
        return ended


class Asker(Line):
    """Connects for each text, closes its sending side behind it, and is answered."""

    HEARS_ALL = False

    def connect(self):
        self.ready = True

    def can_say(self):
        return self.wire is None

    def say(self, text):
        self.text = text
        super().connect()

    def begin(self):
        self.wire.write(self.encode(self.text))
        self.wire.end_sending(bare=self.texts % 2 == 0)

    def hear(self):
        begun = self.wire.ready
        ended = super().hear()
        if not begun and self.wire.ready and not ended:
            self.begin()
        return ended

    def come_back(self):
        if self.due and self.wire.tls is None:
            return False
        self.wire.close()
        self.wire = None
        if self.due:  # It was in the middle of its handshake, and nobody has heard it.
            super().connect()
        return True


class Socket(Line):
    """A WebSocket."""

    DIALECT = "websocket"
    PROTOCOL = None

    def begin(self):
        if not self.ready and not self.asked:
            request, self.accept = upgrade("localhost", protocol=self.PROTOCOL)
            self.wire.write(request)
            self.asked = True

    def connect(self):
        self.asked = self.upgraded = self.ready = False
        super().connect()

    def on_upgraded(self):
        self.ready = True

    def encode(self, text):
        return WebSocket.frame(TEXT, text.encode())

    def decode(self, data):
        self.pending += data
        if not self.upgraded:
            head, separator, rest = self.pending.partition(b"\r\n\r\n")
            if not separator:
                return
            assert head.startswith(b"HTTP/1.1 101 ") and self.accept.encode() in head, head
            self.pending, self.upgraded = rest, True
            self.on_upgraded()
        while frame := first_frame(self.pending):
            opcode, payload, size = frame
            self.pending = self.pending[size:]
            if opcode == PING:
                self.wire.write(WebSocket.frame(PONG, payload))
            elif opcode == TEXT:
                yield from self.take(payload.decode())
            else:
                assert opcode == CLOSE, opcode

    def take(self, text):
        yield text


class Page(Socket):
    """A visitor's page, which comes back whenever its connection is lost, and says again what was
    not taken."""

    DIALECT = "web"
    PROTOCOL = PAGE

    def __init__(self, name, make):
        super().__init__(name, make)
        self.token = None
        self.seen = 0
        self.not_taken = {}
        self.resumed = 0

    def tell(self, frame, cut=False):
        self.wire.write(super().encode(json.dumps(frame)), cut=cut)

    def on_upgraded(self):
        hello = {"type": "hello", "seen": self.seen}
        self.tell(hello | ({"resume": self.token} if self.token else {}))

    def say(self, text):
        name = os.urandom(8).hex()
        self.not_taken[name] = {"type": "say", "id": name, "text": text}
        self.tell(self.not_taken[name], cut=self.may_be_cut())

    def take(self, text):
        frame = json.loads(text)
        kind = frame["type"]
        if kind == "welcome":
            if frame["resumed"] != (self.token is not None):
                self.error = f"its session does not go on: {frame}"
            self.resumed += frame["resumed"]
            self.token = frame["resume"]
            self.ready = True
            for each in self.not_taken.values():
                self.tell(each)
        elif kind == "taken":
            self.not_taken.pop(frame["id"])
            self.seen = max(self.seen, frame["seq"])
        elif kind == "message" and frame["seq"] > self.seen:
            self.seen = frame["seq"]
            if frame["from"] == "operator":
                yield frame["text"]

    def come_back(self):
        self.wire.close()
        self.connect()
        return True


def answer_to(text):
    """What an operator answers; None if to nothing."""
    return f"re: {text}" if " says " in text else None
