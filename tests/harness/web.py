"""Browsers' protocols, as bytes: requests over HTTP, WebSockets, and what the visitor's page says
on one. Knows the protocols, not the daemon behind them."""

import base64
import hashlib
import json
import os
import struct

from harness.clients import connect
from harness.waiting import GUARD

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PAGE = "chat.chatd.v1"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


class Answer:
    """To a request: the status, the fields by their names in lower case, and the body."""

    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        self.body = body


def read_to_end(sock):
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def request(address, path="/", method="GET", fields=(), raw=None, wrap=None):
    """One request on a connection of its own, which the server closes. `raw`: these bytes in its
    place. `wrap` makes another socket of the connected one."""
    sock = connect(address)
    if wrap:
        sock = wrap(sock)
    with sock:
        host = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]
        sock.sendall(raw if raw is not None else "\r\n".join(lines).encode())
        head, separator, body = read_to_end(sock).partition(b"\r\n\r\n")
        assert separator, head
        return Answer(head, body)


def upgrade(host, path="/chat", protocol=None, fields=()):
    """The request for a WebSocket, and the value of Sec-WebSocket-Accept that it is answered with."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    return "\r\n".join([*lines, *fields, "", ""]).encode(), accept


def first_frame(data):
    """Opcode, payload and size of the frame that the bytes begin with, which must not be masked;
    None while it is not whole."""
    if len(data) < 2:
        return None
    assert data[0] & 0xF0 == 0x80 and data[1] < 0x80, data[:2]
    wide = {126: 2, 127: 8}.get(data[1], 0)
    size = int.from_bytes(data[2 : 2 + wide], "big") if wide else data[1]
    begin = 2 + wide
    if len(data) < begin or len(data) < begin + size:
        return None
    return data[0] & 0xF, data[begin : begin + size], begin + size


class WebSocket:
    """A client's end, whose frames are masked. `fields` are more lines of the request; `status` is
    that of the answer."""

    def __init__(self, address, path="/chat", protocol=None, fields=(), wrap=None, frames=b""):
        sock = connect(address)
        self.socket = wrap(sock) if wrap else sock
        self.pending = b""
        self.close_code = self.close_reason = None
        host = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
        request, accept = upgrade(host, path, protocol, fields)
        self.socket.sendall(request + frames)
        while b"\r\n\r\n" not in self.pending:
            piece = self.socket.recv(65536)
            assert piece, f"end of file after {self.pending!r}"
            self.pending += piece
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        self.answer = Answer(head, b"")
        self.status = self.answer.status
        if self.status == 101:
            assert self.answer.fields["sec-websocket-accept"] == accept
            assert self.answer.fields.get("sec-websocket-protocol") == protocol

    @staticmethod
    def frame(opcode, payload, final=True, mask=b"\1\2\3\4"):
        head = bytes([opcode | (0x80 if final else 0)])
        size = len(payload)
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 1 << 16:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    def send_frame(self, opcode, payload=b"", **how):
        self.socket.sendall(self.frame(opcode, payload, **how))

    def send(self, text):
        self.send_frame(TEXT, text.encode())

    def receive_frame(self):
        """Opcode and payload of the next frame; None at the end."""
        while not (frame := first_frame(self.pending)):
            piece = self.socket.recv(65536)
            if not piece:
                assert not self.pending, self.pending
                return None
            self.pending += piece
        opcode, payload, size = frame
        self.pending = self.pending[size:]
        return opcode, payload

    def receive(self, timeout=GUARD):
        """The next text; None at the end. Pings are answered; `close_code` says how it ended."""
        self.socket.settimeout(timeout)
        while frame := self.receive_frame():
            opcode, payload = frame
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                self.close_code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                self.close_reason = payload[2:].decode()
            elif opcode == TEXT:
                return payload.decode()
        return None

    def expect(self, text):
        received = self.receive()
        assert received == text, received

    def expect_end(self, code):
        received = self.receive()
        assert received is None, received
        assert self.close_code == code, self.close_code

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Page(WebSocket):
    """A visitor's page, once it has said hello."""

    def __init__(self, address, resume=None, seen=0, **how):
        super().__init__(address, protocol=PAGE, **how)
        assert self.status == 101, self.status
        self.last_id = 0
        hello = {"type": "hello", "seen": seen} | ({"resume": resume} if resume else {})
        self.tell(hello)
        self.welcome = self.hear("welcome")
        self.token = self.welcome["resume"]
        self.session_resumed = self.welcome["resumed"]

    def tell(self, frame):
        self.send(json.dumps(frame))

    def hear(self, kind, **members):
        """The next frame of that type; others before it are passed over."""
        while (text := self.receive()) is not None:
            frame = json.loads(text)
            if frame["type"] == kind and members.items() <= frame.items():
                return frame
        raise AssertionError(f"closed with {self.close_code}, waiting for {kind} {members}")

    def say(self, text, name=None):
        """Says it, and waits until the daemon has taken it. Returns its seq."""
        if name is None:
            self.last_id += 1
            name = f"{os.urandom(4).hex()}-{self.last_id}"
        self.tell({"type": "say", "id": name, "text": text})
        return self.hear("taken", id=name)["seq"]
