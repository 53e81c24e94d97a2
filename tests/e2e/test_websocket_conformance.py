"""The daemon's WebSockets after the categories of the public test suite: framing, pings and pongs,
reserved bits, opcodes, fragments, UTF-8, how it is closed, and sizes. Each row is a connection of
its own, once with all bytes at once and once byte by byte. tests/http/websocket.cpp has the same
table for the reader alone, cut at every place."""

import socket
import struct

import pytest

from harness import FOR_ONE_ORIGIN, Daemon
from harness.web import BINARY, CLOSE, PING, PONG, TEXT, WebSocket

MOST = 131072  # session.max_message, at its highest
CONTINUATION = 0


def frame(opcode, payload=b"", **how):
    payload = payload if isinstance(payload, bytes) else payload.encode()
    return WebSocket.frame(opcode, payload, **how)


def part(opcode, payload=b""):
    return frame(opcode, payload, final=False)


def fragments(payload, size):
    """A text of many frames."""
    pieces = [payload[i : i + size] for i in range(0, len(payload), size)]
    first, *middle, last = pieces
    between = b"".join(part(CONTINUATION, each) for each in middle)
    return part(TEXT, first) + between + frame(CONTINUATION, last)


def close(code, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


def with_first_byte(byte, payload=b"", mask=b"\1\2\3\4"):
    return bytes([byte]) + frame(TEXT, payload, mask=mask)[1:]


class Row:
    """What a client sends; the texts that are heard of it, the pongs that it gets, and the code of
    the close. Without a code of its own the client closes behind it, when it has its pongs."""

    def __init__(self, name, sent, heard=(), code=None, pongs=(), last_pong=False):
        self.name = name
        self.sent = sent
        self.heard = list(heard)
        self.goes_on = code is None
        self.code = 1000 if code is None else code
        self.pongs = list(pongs)
        self.last_pong = last_pong  # of pings that are read together the last one is answered

    def __repr__(self):
        return self.name


def framing():
    for size in (0, 1, 125, 126, 127, 128):
        yield Row(f"text of {size}", frame(TEXT, "*" * size), ["*" * size])
    yield Row("mask of zeros", frame(TEXT, "hi", mask=bytes(4)), ["hi"])
    yield Row("mask of ones", frame(TEXT, "hi", mask=b"\xff" * 4), ["hi"])
    yield Row("three in a row", frame(TEXT, "a") + frame(TEXT, "b") + frame(TEXT, "c"), "abc")
    yield Row("binary", frame(BINARY, b"\0\xff"), code=1003)
    yield Row("no mask", b"\x81\x02hi", code=1002)
    yield Row("a ping without a mask", b"\x89\x00", code=1002)
    yield Row("length of two bytes for 125", b"\x81\xfe\0\x7d", code=1002)
    yield Row("length of eight bytes for 65535", b"\x81\xff" + struct.pack(">Q", 65535), code=1002)
    yield Row("length of 64 bits", b"\x81\xff" + b"\xff" * 8, code=1002)


def pings():
    yield Row("ping", frame(PING), pongs=[b""])
    yield Row("ping of bytes", frame(PING, b"\0\xff\xfe"), pongs=[b"\0\xff\xfe"])
    yield Row("ping of 125", frame(PING, b"p" * 125), pongs=[b"p" * 125])
    yield Row("ping of 126", frame(PING, b"p" * 126), code=1002)
    yield Row("pong unasked", frame(PONG, b"x") + frame(TEXT, "hi"), ["hi"])
    many = b"".join(frame(PING, b"%d" % number) for number in range(10))
    yield Row("ten pings", many, pongs=[b"%d" % number for number in range(10)], last_pong=True)


def reserved_bits():
    for bits in (0x40, 0x20, 0x10, 0x70):
        yield Row(f"bits {bits:x} of a text", with_first_byte(0x81 | bits, b"hi"), code=1002)
        yield Row(f"bits {bits:x} of a ping", with_first_byte(0x89 | bits), code=1002)
        yield Row(f"bits {bits:x} of a close", with_first_byte(0x88 | bits), code=1002)
        after = frame(TEXT, "a") + with_first_byte(0x81 | bits, b"b") + frame(TEXT, "c")
        yield Row(f"bits {bits:x} behind a text", after, ["a"], code=1002)


def opcodes():
    for code in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF):
        yield Row(f"opcode {code:x}", frame(code), code=1002)
        yield Row(f"opcode {code:x} behind a text", frame(TEXT, "a") + frame(code, b"b"), "a", 1002)


def fragmentation():
    yield Row("two parts", part(TEXT, "a") + frame(0, "b"), ["ab"])
    yield Row("empty parts", part(TEXT) + part(0) + frame(0), [""])
    yield Row("an empty end", part(TEXT, "a") + part(0, "b") + frame(0), ["ab"])
    within = part(TEXT, "a") + frame(PING, b"p") + frame(PONG) + frame(0, "b")
    yield Row("controls between", within, ["ab"], pongs=[b"p"])
    yield Row("a close between", part(TEXT, "a") + close(1000), code=1000)
    yield Row("ping in parts", part(PING, b"a") + frame(0, "b"), code=1002)
    yield Row("close in parts", part(CLOSE), code=1002)
    yield Row("nothing begun", frame(0, "a"), code=1002)
    yield Row("nothing begun, more follows", part(0, "a"), code=1002)
    yield Row("over and continued", part(TEXT, "a") + frame(0, "b") + frame(0, "c"), ["ab"], 1002)
    yield Row("another text within", part(TEXT, "a") + frame(TEXT, "b"), code=1002)
    yield Row("a binary within", part(TEXT, "a") + frame(BINARY, "b"), code=1002)


def utf8():
    good = "κόσμε ü€😀\U0010ffff\ud7ff\ue000\ufffd"
    yield Row("good", frame(TEXT, good), [good])
    yield Row("cut at every byte", fragments(good.encode(), 1), [good])
    for bad in (
        b"\x80", b"\xbf", b"\xfe", b"\xff", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf",
        b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
        b"\xed\xa0\xbd\xed\xb8\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",
        b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3g",
    ):  # fmt: skip
        yield Row(f"bad {bad.hex()}", frame(TEXT, b"ok" + bad), code=1007)
    yield Row("bad in a part", part(TEXT, b"\xce\xba\xed") + part(0, b"\xa0"), code=1007)
    yield Row("half at the end", part(TEXT, b"\xf0\x9f") + frame(0, b"\x98"), code=1007)
    begun = frame(TEXT, b"\xf4\x90" + b"x" * 98)[: 6 + 2]
    yield Row("bad before the end has come", begun, code=1007)
    yield Row("behind a good one", frame(TEXT, "a") + frame(TEXT, b"\xff"), ["a"], code=1007)


def closes():
    yield Row("without a code", frame(CLOSE), code=1005)
    yield Row("half a code", frame(CLOSE, b"\x03"), code=1002)
    yield Row("a reason", close(1000, "bye €".encode()), code=1000)
    yield Row("the longest reason", close(1001, b"r" * 123), code=1001)
    yield Row("too long", frame(CLOSE, b"\x03\xe8" + b"r" * 124), code=1002)
    yield Row("a reason that is not UTF-8", close(1000, b"\xce\xba\xed\xa0\x80"), code=1007)
    yield Row("text behind it", close(1000) + frame(TEXT, "late"), code=1000)
    yield Row("ping behind it", close(1000) + frame(PING, b"late"), code=1000)
    yield Row("two", close(3000) + close(1000), code=3000)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield Row(f"code {code}", close(code), code=code)
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Row(f"code {code}", close(code), code=1002)


def sizes():
    for size in (65535, 65536, MOST):
        yield Row(f"text of {size}", frame(TEXT, "*" * size), ["*" * size])
    yield Row("one too many", frame(TEXT, "*" * (MOST + 1)), code=1009)
    yield Row("announced alone", b"\x81\xff" + struct.pack(">Q", MOST + 1), code=1009)
    over = part(TEXT, "*" * MOST) + frame(0, "*")
    yield Row("one too many in parts", over, code=1009)
    for size in (64, 4096):
        yield Row(f"parts of {size}", fragments(b"*" * 65536, size), ["*" * 65536])
    yield Row("many small ones", frame(TEXT, "*") * 500, ["*"] * 500)


CATEGORIES = [framing, pings, reserved_bits, opcodes, fragmentation, utf8, closes, sizes]
ROWS = [(category, row) for category in CATEGORIES for row in category()]
BYTEWISE = 5000  # bytes that are sent one by one; a longer row says nothing more then


@pytest.fixture(scope="module")
def talk():
    limits = FOR_ONE_ORIGIN | {"messages_per_second": 1000000, "messages_burst": 1000000}
    with Daemon({"limits": limits, "session": {"max_message": f"{MOST}B"}}) as daemon:
        yield daemon, daemon.operator()


def understood(talk, row, step):
    daemon, operator = talk
    with WebSocket(daemon.address) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each byte by itself
        session = operator.wait_event("connected")["session"]
        for begin in range(0, len(row.sent), step):
            try:
                client.socket.sendall(row.sent[begin : begin + step])
            except (BrokenPipeError, ConnectionResetError):
                break  # It has ended before the last byte, as it should.
        pongs, code = [], None
        if row.goes_on and not row.pongs:
            client.socket.sendall(close(1000))
        while code is None and (received := client.receive_frame()):
            opcode, payload = received
            assert opcode in (PONG, CLOSE), received
            if opcode == PONG:
                pongs.append(payload)
                if row.goes_on and payload == row.pongs[-1]:
                    client.socket.sendall(close(1000))
            else:
                code = struct.unpack(">H", payload[:2])[0] if payload else 1005
    operator.wait_event("disconnected", session=session)
    return [each["text"] for each in operator.events_of("message", session=session)], pongs, code


def name_of(each):
    return getattr(each, "__name__", repr(each))


@pytest.mark.parametrize("category, row", ROWS, ids=name_of)
@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "byte by byte"])
def test_what_is_made_of_it(talk, category, row, bytewise):
    if bytewise and len(row.sent) > BYTEWISE:
        step = 1021
    else:
        step = 1 if bytewise else len(row.sent)
    heard, pongs, code = understood(talk, row, step)
    assert heard == row.heard
    assert code == row.code
    if row.last_pong:  # Some may have been read together.
        assert pongs and pongs[-1] == row.pongs[-1] and set(pongs) <= set(row.pongs)
    else:
        assert pongs == row.pongs
