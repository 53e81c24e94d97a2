"""What doc/protocol.md says of requests ("HTTP"), row by row, against the daemon."""

import re

import pytest

from harness import FOR_ONE_ORIGIN, Daemon
from harness.protocol_page import PAGE
from harness.web import request

HOST = "chat.example.org"
UPGRADE = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"


def head(first="GET / HTTP/1.1", fields=f"Host: {HOST}\n"):
    return f"{first}\n{fields}\n".replace("\n", "\r\n").encode()


def with_fields(more, first="GET / HTTP/1.1"):
    return head(first, f"Host: {HOST}\n{more}")


# The rows of the page's table, each with requests that it speaks of, and their answers.
ROWS = {
    "GET or HEAD of what is there": [
        (head(), 200),
        (head("HEAD /chat.js HTTP/1.1"), 200),
        (head("GET /settings.json?x=1 HTTP/1.1"), 200),
        (head("GET / HTTP/1.0"), 200),
        (with_fields("If-None-Match: *\n"), 304),
    ],
    "of anything else": [
        (head("GET /nothing HTTP/1.1"), 404),
        (head("GET /index.html HTTP/1.1"), 404),
    ],
    "for `/chat`, with no wish for a WebSocket": [
        (head("GET /chat HTTP/1.1"), 426),
    ],
    "for a WebSocket, with a handshake that is wrong": [
        (with_fields(UPGRADE.replace("13", "8") + KEY, "GET /chat HTTP/1.1"), 426),
        (with_fields(UPGRADE, "GET /chat HTTP/1.1"), 400),
        (with_fields(UPGRADE + "Sec-WebSocket-Key: short\n", "GET /chat HTTP/1.1"), 400),
        (with_fields(UPGRADE + KEY, "HEAD /chat HTTP/1.1"), 400),
        (with_fields(UPGRADE + KEY, "GET /chat HTTP/1.0"), 400),
        (with_fields(UPGRADE + KEY + "Sec-WebSocket-Protocol: a, a\n", "GET /chat HTTP/1.1"), 400),
    ],
    "for a `Host` that is not in `web.hosts`, where that is set": [
        (head(fields="Host: attacker.example\n"), 421),
        (head("GET / HTTP/1.0", ""), 421),
    ],
    "for a WebSocket, from a page (`Origin`) that is neither the own one nor in `web.origins`; "
    "`null` is neither": [
        (with_fields(UPGRADE + KEY + "Origin: https://evil.example\n", "GET /chat HTTP/1.1"), 403),
        (with_fields(UPGRADE + KEY + "Origin: null\n", "GET /chat HTTP/1.1"), 403),
        (with_fields(UPGRADE + KEY + f"Origin: http://{HOST}:81\n", "GET /chat HTTP/1.1"), 403),
        (with_fields(UPGRADE + KEY + f"Origin: http://{HOST}\n", "GET /chat HTTP/1.1"), 101),
        (with_fields(UPGRADE + KEY + "Origin: https://shop.example\n", "GET /chat HTTP/1.1"), 101),
        (with_fields(UPGRADE + KEY, "GET /chat HTTP/1.1"), 101),
    ],
    "of another method": [
        (head("POST / HTTP/1.1"), 405),
        (head("OPTIONS / HTTP/1.1"), 405),
        (head("BREW / HTTP/1.1"), 501),
    ],
    "with a body": [(with_fields("Content-Length: 2\n") + b"hi", 413)],
    "with a Transfer-Encoding": [
        (with_fields("Transfer-Encoding: chunked\n"), 501),
        (with_fields("Transfer-Encoding: chunked\nContent-Length: 2\n"), 400),
        (with_fields("Transfer-Encoding: chunked\n", "GET / HTTP/1.0"), 400),
    ],
    "with Expect": [(with_fields("Expect: 100-continue\n"), 417)],
    "with a target that is no path": [
        (head(f"GET http://{HOST}/ HTTP/1.1"), 400),
        (head("GET /%2e%2e/ HTTP/1.1"), 400),
        (head("GET /%zz HTTP/1.1"), 400),
    ],
    "with a bare CR or LF, a folded line, a blank before a colon, no Host or two (HTTP/1.1)": [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (with_fields("X : b\n"), 400),
        (head(fields=""), 400),
        (with_fields(f"Host: {HOST}\n"), 400),
    ],
    "with more than 8,192 bytes, or 100 fields": [
        (with_fields("X: " + 8192 * "x" + "\n"), 431),
        (with_fields(101 * "X: y\n"), 431),
    ],
    "of HTTP/2: its preface in clear": [(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)],
}


@pytest.fixture(scope="module")
def daemon():
    web = {"hosts": [HOST], "origins": ["https://shop.example"]}
    # Where only HTTP is spoken, what makes no request is told so.
    listen = [{"address": "127.0.0.1", "port": 0, "dialect": "web"}]
    with Daemon({"limits": FOR_ONE_ORIGIN, "web": web, "listen": listen}) as daemon:
        yield daemon


@pytest.mark.parametrize("row", ROWS)
def test_a_request_gets_what_the_page_says(daemon, row):
    for raw, status in ROWS[row]:
        sent = raw + b"\x88\x80\0\0\0\0" if status == 101 else raw  # and a close
        answer = request(daemon.address, raw=sent)
        assert answer.status == status, raw
        if status == 101:
            assert answer.body == b"\x88\x00"
            continue
        assert "close" in answer.fields["connection"]
        assert status == 505 or answer.fields["x-content-type-options"] == "nosniff"
        if raw.startswith(b"HEAD"):
            assert answer.body == b""
        elif status != 304:
            assert len(answer.body) == int(answer.fields["content-length"])


def test_the_table_of_the_page_has_these_rows_and_no_others():
    begin = r"\| a request \| gets \|\n\| --- \| --- \|\n"
    [table] = re.findall(begin + r"((?:\|.*\n)+)", PAGE.read_text())
    rows = dict(re.fullmatch(r"\| (.*) \| (.*) \|", line).groups() for line in table.splitlines())
    assert rows.keys() == ROWS.keys()
    for row, cell in rows.items():
        codes = {int(code) for code in re.findall(r"\b[2-5]\d\d\b", cell)}
        assert codes == {status for _, status in ROWS[row]} - {101}, row


@pytest.mark.parametrize("line", [b"GET / HTTP/2.0\r\n", b"GET /" + 9000 * b"x", b"hello\n"])
def test_what_makes_no_request_is_told_that_this_port_is_for_browsers(daemon, line):
    with daemon.client() as client:
        client.send(line)
        client.expect(b"This port is for browsers only.\n")
        client.expect_end()
