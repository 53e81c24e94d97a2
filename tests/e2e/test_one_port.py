"""One port where everybody meets: netcat, browsers, programs with WebSockets, and proxies in front.
What a connection is shows by its first bytes, and nobody is a client before that is known."""

import gzip
import json
import socket
import time

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, hand_over, wait_until
from harness.web import CLOSE, PING, PONG, TEXT, Page, WebSocket, request, upgrade

CONFIG = {"limits": FOR_ONE_ORIGIN}


@pytest.fixture
def daemon():
    with Daemon(CONFIG) as daemon:
        yield daemon


def nothing_happened(operator, client):
    """Only what `client` now says has been an event."""
    client.send(b"only this\n")
    operator.wait_event("message", text="only this")
    return [each["method"] for each in operator.events if each["method"] != "operator"]


# --- the page ---


def test_a_page_and_its_files_are_served(daemon):
    operator = daemon.operator()
    page = request(daemon.address)
    assert page.status == 200 and page.fields["content-type"] == "text/html; charset=utf-8"
    assert b"<!doctype html>" in page.body
    assert page.fields["x-content-type-options"] == "nosniff"
    assert page.fields["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in page.fields
    policy = page.fields["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert f"ws://127.0.0.1:{daemon.port}" in policy
    packed = request(daemon.address, fields=["Accept-Encoding: gzip"])
    assert packed.fields["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == page.body
    again = request(daemon.address, fields=[f"If-None-Match: {page.fields['etag']}"])
    assert again.status == 304 and again.body == b""
    for path in "/chat.js", "/chat.css", "/widget.js", "/icon.svg", "/settings.json":
        assert request(daemon.address, path).status == 200, path
    assert json.loads(request(daemon.address, "/settings.json").body)["sound"] is True
    assert request(daemon.address, "/nothing").status == 404
    head = request(daemon.address, method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.fields["content-length"]) > 500
    with daemon.client() as client:
        assert nothing_happened(operator, client) == ["connected", "message"]
    assert operator.call("stats")["requests"] == 11


def test_whoever_loads_the_page_again_and_again_gets_it():
    with Daemon({}) as daemon:
        # By the limits that chatd comes with, of all these connects a third might come at once.
        for _ in range(300):
            assert request(daemon.address).status == 200


@pytest.mark.parametrize(
    "raw, status",
    [
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", 405),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", 413),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
)
def test_a_request_that_could_be_understood_in_two_ways_is_refused(daemon, raw, status):
    assert request(daemon.address, raw=raw).status == status


def test_what_is_no_request_stays_chat(daemon):
    operator = daemon.operator()
    for text in "GET well soon", "GET / HTTP/1.1", "POST it", "PRI", "G":
        with daemon.client() as client:
            client.send(text.encode() + b"\n")
            assert operator.wait_event("message")["text"] == text


def test_a_connection_that_says_nothing_is_a_client_after_a_second_and_no_earlier(daemon):
    operator = daemon.operator()
    with daemon.client() as client:
        event = operator.wait_event("connected", address=client.address)
        assert time.monotonic() - client.connecting_at >= 0.95
        with daemon.client():
            pass  # A scan of ports.
        assert nothing_happened(operator, client) == ["connected", "message"]
        assert event["session"] == 1


def test_a_browsers_spare_connection_is_no_client(daemon):
    operator = daemon.operator()
    early = daemon.client()  # Before the first request.
    assert request(daemon.address).status == 200
    spare = daemon.client()
    with daemon.client() as client:
        client.send(b"hello\n")
        operator.wait_event("message", text="hello")
        time.sleep(1.5)  # Longer than a person is silent; that nothing comes has no event.
        assert [each["method"] for each in operator.events] == ["connected", "message"]
        assert len(operator.call("sessions")) == 1
    # They are used in the end.
    for client in early, spare:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.expect(b"HTTP/1.1 200 OK\r\n")
        client.close()


def late(daemon, operator, **how):
    """A connection that was silent for so long that it is taken for a person, and its session."""
    client = daemon.client(**how)
    return client, operator.session_of(client)


def was_none(operator, session, why):
    """It is over, and nobody is there."""
    assert operator.wait_event("disconnected", session=session)["reason"] == why
    assert operator.call("sessions") == []


def test_a_request_that_comes_late_is_answered(daemon):
    operator = daemon.operator()
    client, session = late(daemon, operator)
    with client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.expect(b"HTTP/1.1 200 OK\r\n")
        was_none(operator, session, "it speaks HTTP")
    # Its head may come in parts, and what is asked for may be a WebSocket. From elsewhere: where a
    # browser is, silence means nothing for long.
    client, session = late(daemon, operator, source="127.0.0.2")
    with client:
        head, _ = upgrade("a")
        client.send(head[:30])
        was_none(operator, session, "it speaks HTTP")
        client.send(head[30:])
        client.expect(b"HTTP/1.1 101 ")
        client.send(WebSocket.frame(TEXT, b"late, but here"))
        operator.wait_event("message", text="late, but here")
    assert operator.call("stats")["refused"] == 0


def test_tls_that_comes_late_is_spoken(authority):
    with Daemon(CONFIG | {"listen": [authority.listener()]}) as daemon:
        operator = daemon.operator()
        client, session = late(daemon, operator)
        with authority.wrap()(client.socket) as secure:
            was_none(operator, session, "it speaks TLS")
            secure.sendall(b"late, but safe\n")
            event = operator.wait_event("message", text="late, but safe")
            assert operator.session(event["session"])["tls"].startswith("TLSv1.3")


def test_who_was_silent_and_says_something_else_stays(daemon):
    operator = daemon.operator()
    for text in "GET well soon", "\x16 is no handshake", "G":
        client, session = late(daemon, operator)
        with client:
            client.send(text.encode() + b"\n")
            operator.wait_event("message", session=session)
            assert operator.session(session)["dialect"] == "line"


# --- WebSockets ---


def test_a_websocket_is_a_client_like_others(daemon):
    operator = daemon.operator()
    with WebSocket(daemon.address) as client:
        session = operator.wait_event("connected")["session"]
        assert operator.call("sessions")[0]["dialect"] == "websocket"
        client.send("Grüße")
        operator.wait_event("message", session=session, text="Grüße")
        client.send_frame(TEXT, b"in ", final=False)
        client.send_frame(PING, b"there?")
        client.send_frame(0, b"parts")
        operator.wait_event("message", session=session, text="in parts")
        assert client.receive_frame() == (PONG, b"there?")
        operator.call("send", to=session, text="one\ntwo")
        client.expect("one\ntwo")
        operator.call("bye", session=session)
        client.expect_end(1000)
    operator.wait_event("disconnected", session=session)


def test_a_websocket_ends_with_the_code_that_says_why(daemon):
    operator = daemon.operator()
    for frame, code in [
        (WebSocket.frame(0x2, b"x"), 1003),
        (WebSocket.frame(TEXT, b"\xff"), 1007),
        (WebSocket.frame(TEXT, b"x" * 9000), 1009),
        (b"\x81\x01x", 1002),
        (b"\xc1\x81\0\0\0\0x", 1002),
        (WebSocket.frame(CLOSE, b"\x03\xe8"), 1000),
    ]:
        with WebSocket(daemon.address, frames=frame) as client:
            client.expect_end(code)
            operator.wait_event("disconnected")
    assert operator.call("stats")["sessions"] == 0


def test_a_page_of_another_site_may_not_connect():
    web = {"origins": ["https://shop.example"], "hosts": ["chat.example", "127.0.0.1"]}
    with Daemon(CONFIG | {"web": web}) as daemon:
        own = f"http://127.0.0.1:{daemon.port}"
        for origin, status in (
            ("https://shop.example", 101), (own, 101), ("https://evil.example", 403), ("null", 403),
        ):  # fmt: skip
            with WebSocket(daemon.address, fields=[f"Origin: {origin}"]) as client:
                assert client.status == status, origin
        rebound = b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
        assert request(daemon.address, raw=rebound).status == 421
        assert "https://shop.example" in request(daemon.address).fields["content-security-policy"]


# --- the visitor's page ---


def test_a_page_talks_and_resumes(daemon):
    operator = daemon.operator()
    with Page(daemon.address) as page:
        assert not page.session_resumed
        session = operator.wait_event("connected")["session"]
        assert operator.call("sessions")[0]["dialect"] == "web"
        page.say("hello")
        operator.wait_event("message", session=session, text="hello")
        operator.call("send", to=session, text="hi")
        assert page.hear("message")["text"] == "hi"
        token = page.token
    wait_until(lambda: operator.call("sessions")[0]["state"] == "away", "the page is away")
    operator.call("send", to=session, text="are you there?")
    with Page(daemon.address, resume=token) as page:
        assert page.session_resumed
        assert [page.hear("message")["text"] for _ in range(3)] == ["hello", "hi", "are you there?"]
        assert operator.call("sessions")[0]["state"] == "open"
        page.tell({"type": "bye"})
        page.hear("bye")
        page.expect_end(1000)
    operator.wait_event("disconnected", session=session)
    with Page(daemon.address, resume=page.token) as page:
        assert not page.session_resumed


def test_a_text_that_is_said_again_counts_once(daemon):
    operator = daemon.operator()
    with Page(daemon.address) as page:
        first = page.say("once", "abc")
        assert page.say("once", "abc") == first
        page.say("twice", "def")
    operator.wait_event("message", text="twice")
    assert [each["text"] for each in operator.events if each["method"] == "message"] == ["once", "twice"]


def test_two_pages_on_one_token_are_one_session(daemon):
    operator = daemon.operator()
    with Page(daemon.address) as one, Page(daemon.address, resume=one.token) as two:
        one.expect_end(4001)
        two.say("here")
        operator.wait_event("message", text="here")
        assert len(operator.call("sessions")) == 1


def test_a_page_goes_on_after_a_hand_over(daemon):
    operator = daemon.operator()
    page = Page(daemon.address)
    page.say("before")
    session = operator.wait_event("message")["session"]
    with WebSocket(daemon.address) as program:
        program.send("hello")
        other = operator.wait_event("message", text="hello")["session"]
        operator.close()
        hand_over(daemon)
        page.expect_end(1012)
        operator = daemon.operator()
        assert [each["session"] for each in operator.call("sessions")] == [session, other]
        operator.call("send", to=session, text="meanwhile")
        operator.call("send", to=other, text="for you")
        program.expect("for you")
        with Page(daemon.address, resume=page.token) as page:
            assert page.session_resumed
            assert page.hear("message", text="meanwhile")
            page.say("after")
            operator.wait_event("message", session=session, text="after")


def test_a_stop_says_goodbye_to_pages_and_programs_at_once():
    """Whoever ends in the same turn as others is told once, and nobody is told after the end."""
    with Daemon(CONFIG | {"session": {"farewell": "farewell"}}) as daemon:
        operator = daemon.operator()
        programs = [WebSocket(daemon.address) for _ in range(3)]
        pages = [Page(daemon.address) for _ in range(3)]
        plain = daemon.client()
        plain.send(b"hello\n")
        wait_until(lambda: operator.call("stats")["sessions"] == 7, "all are there")
        daemon.stop()
        for program in programs:
            program.expect("farewell")
            program.expect_end(1001)
            program.close()
        for page in pages:
            page.hear("message", text="farewell")
            page.expect_end(1001)
            page.close()
        plain.expect(b"farewell\n")
        plain.expect_end()
        plain.close()


def test_a_page_that_does_not_come_back_is_gone_in_time():
    with Daemon(CONFIG | {"web": {"resume": "200ms"}}) as daemon:
        operator = daemon.operator()
        with Page(daemon.address) as page:
            session = operator.wait_event("connected")["session"]
        operator.wait_event("disconnected", session=session)
        with Page(daemon.address, resume=page.token) as page:
            assert not page.session_resumed


def test_a_page_hears_of_operators(daemon):
    operator = daemon.operator(name="ann")
    with Page(daemon.address) as page:
        session = operator.wait_event("connected")["session"]
        operator.call("writing", session=session)
        page.hear("writing")
        operator.call("away", text="Back at two.")
        assert page.hear("away")["text"] == "Back at two."
        with Page(daemon.address) as late:
            assert late.hear("away")["text"] == "Back at two."
        operator.call("back")
        page.hear("here")


# --- proxies ---

V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + (12).to_bytes(2, "big")


def test_a_proxy_says_who_is_behind_it():
    listen = [{"address": "127.0.0.1", "port": 0, "proxy_from": ["127.0.0.1"]}]
    with Daemon(CONFIG | {"listen": listen}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080\r\nhello\n")
            event = operator.wait_event("connected")
            assert event["address"] == "192.0.2.7:4711" and event["via"].startswith("127.0.0.1:")
            operator.wait_event("message", text="hello")
            [session] = operator.call("sessions")
            assert session["address"] == "192.0.2.7:4711" and session["via"] == event["via"]
        operator.call("ban", address="192.0.2.8")
        with daemon.client() as banned:
            banned.send(b"PROXY TCP4 192.0.2.8 192.0.2.1 4711 8080\r\nhello\n")
            banned.expect_end()
        with daemon.client() as second:
            addresses = socket.inet_aton("192.0.2.9") + socket.inet_aton("192.0.2.1")
            second.send(V2 + addresses + (5).to_bytes(2, "big") + (6).to_bytes(2, "big") + b"two\n")
            other = operator.wait_event("connected", address="192.0.2.9:5")["session"]
        for wrong in b"hello\n", b"PROXY TCP4 1 2 3\r\n", b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c":
            with daemon.client() as stranger:
                stranger.send(wrong)
                stranger.expect_end()
        operator.wait_event("asking", session=other)  # the last that comes of those before
        before = len(operator.events)
        with daemon.client() as health:
            health.send(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")
            health.expect_end()
        operator.call("stats")  # what has happened comes before its answer
        assert len(operator.events) == before
        answer = request(daemon.address, raw=b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.status == 200


def test_nobody_elses_bytes_are_taken_for_a_proxys(daemon):
    operator = daemon.operator()
    with daemon.client() as client:
        client.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080\r\n")
        event = operator.wait_event("message")
        assert event["text"] == "PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080"
        assert operator.call("sessions")[0]["address"] == client.address


# --- all together ---


def test_all_kinds_meet_at_one_port(daemon):
    operator = daemon.operator()
    count = 40
    plain = [daemon.client() for _ in range(count)]
    sockets = [WebSocket(daemon.address) for _ in range(count)]
    pages = [Page(daemon.address) for _ in range(count)]
    for number, (one, two, three) in enumerate(zip(plain, sockets, pages)):
        one.send(f"plain {number}\n".encode())
        two.send(f"socket {number}")
        three.say(f"page {number}")
    said = {}
    for _ in range(3 * count):
        event = operator.wait_event("message")
        said[event["text"]] = event["session"]
    assert len(set(said.values())) == 3 * count
    for text, session in said.items():
        operator.call("send", to=session, text=f"to {text}")
    for number, (one, two, three) in enumerate(zip(plain, sockets, pages)):
        one.expect(f"to plain {number}\n".encode())
        two.expect(f"to socket {number}")
        assert three.hear("message", **{"from": "operator"})["text"] == f"to page {number}"
    operator.call("send", to="all", text="all of you")
    for one, two, three in zip(plain, sockets, pages):
        one.expect(b"all of you\n")
        two.expect("all of you")
        three.hear("message", text="all of you")
    for each in plain + sockets + pages:
        each.close()
