"""Real proxies in front, each with its configuration of doc/operations.md: what clients, pages and
scripts that ask notice of them is nothing, and operators see who is behind them."""

import contextlib
import functools
import gzip

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, hand_over, to_toml, wait_until
from harness.certificates import Secure
from harness.network import free_port
from harness.programs import Program
from harness.proxies import Haproxy, Hitch, NginxHttp, NginxStream, Stunnel, changed, documented
from harness.web import Page, WebSocket, request

ENDS_TLS = [Haproxy, NginxStream, Stunnel, Hitch]
PASSES_ON = [Haproxy, NginxStream]
KEEPS_HALF = [Haproxy, NginxStream, Stunnel]
TELLS_TLS = [Haproxy, Hitch]
"""What each can do."""

STAYS = ["session", "address", "via", "tls", "dialect"]
"""What of a session a hand-over does not change."""

CLOSE = ["Connection: close"]
"""Of a request that nginx answers, which would keep the connection for another."""


def behind_a_proxy(authority=None, port=0):
    """A daemon with the listener of doc/operations.md for a proxy; with an authority it speaks TLS
    itself as well."""
    listener = changed(documented("## A proxy in front"), {"8081": port})
    if authority:
        certificate, key = authority.sign("localhost")
        listener += f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'
    tables = {"limits": FOR_ONE_ORIGIN, "control": {"path": "@CONTROL@"}}
    return Daemon(listener + to_toml(tables))


@pytest.fixture(scope="module")
def shared():
    """A daemon and proxies in front of it for many tests: starting programs is most of what these
    cost."""
    with behind_a_proxy() as daemon:
        yield daemon


@pytest.fixture(scope="module")
def proxy_of(shared, authority):
    """The proxy of that kind; it starts when it is first asked for."""
    with contextlib.ExitStack() as running:
        start = lambda kind: running.enter_context(kind(shared.address, authority))  # noqa: E731
        yield functools.cache(start)


@pytest.fixture
def daemon(shared):
    yield shared
    for operator in shared.operators:
        operator.close()
    shared.operators.clear()


def talk(operator, client, text):
    """A question and its answer. Returns the session as operators see it."""
    client.send(text.encode() + b"\n")
    session = operator.wait_event("message", text=text)["session"]
    operator.call("send", to=session, text=f"to {text}")
    client.expect(f"to {text}\n".encode())
    return operator.session(session)


def check_who(session, client):
    assert session["address"] == client.address, session
    assert session["via"].startswith("127.0.0.1:") and session["via"] != client.address, session


@pytest.mark.parametrize("kind", ENDS_TLS)
def test_operators_see_who_is_behind_a_proxy_that_ends_tls(daemon, proxy_of, authority, kind):
    operator = daemon.operator()
    with Secure(proxy_of(kind).secure, authority.client()) as client:
        session = talk(operator, client, "hello")
        check_who(session, client)
        [event] = operator.events_of("connected")
        assert event["address"] == client.address and event["via"] == session["via"]
        assert session.get("tls") == ("TLSv1.3" if kind in TELLS_TLS else None)
        assert "verified" not in session
        operator.close()
        hand_over(daemon)
        operator = daemon.operator()
        later = talk(operator, client, "still here")
        assert [later.get(key) for key in STAYS] == [session.get(key) for key in STAYS]
        operator.call("bye", session=session["session"])
        client.expect_end()
    operator.wait_event("disconnected", session=session["session"])


@pytest.mark.parametrize("kind", ENDS_TLS)
def test_browsers_and_programs_come_through_a_proxy_that_ends_tls(
    daemon, proxy_of, authority, kind
):
    check_web(daemon.operator(), proxy_of(kind), authority)


def check_web(operator, proxy, authority):
    """The page, a program with a WebSocket, and a page that loses its connection and resumes."""
    wrap = authority.wrap()
    page = request(proxy.secure, wrap=wrap, fields=CLOSE)
    assert page.status == 200 and b"<!doctype html>" in page.body
    own = f"{proxy.secure[0]}:{proxy.secure[1]}"
    assert f"wss://{own}" in page.fields["content-security-policy"]
    for origin, status in (f"https://{own}", 101), ("https://evil.example", 403):
        with WebSocket(proxy.secure, wrap=wrap, fields=[f"Origin: {origin}"]) as program:
            assert program.status == status, origin
            if status == 101:
                session = operator.wait_event("connected")["session"]
                program.send("Grüße")
                operator.wait_event("message", session=session, text="Grüße")
                operator.call("bye", session=session)
                program.expect_end(1000)
    with Page(proxy.secure, wrap=wrap, fields=[f"Origin: https://{own}"]) as page:
        page.say("from a page")
        session = operator.wait_event("message", text="from a page")["session"]
    wait_until(lambda: operator.session(session)["state"] == "away", "the page is away")
    operator.call("send", to=session, text="meanwhile")
    with Page(proxy.secure, wrap=wrap, resume=page.token) as page:
        assert page.session_resumed
        page.hear("message", text="meanwhile")
        page.tell({"type": "bye"})
        page.hear("bye")
        page.expect_end(1000)
    operator.wait_event("disconnected", session=session)


@pytest.mark.parametrize("kind", PASSES_ON)
def test_plain_text_and_tls_are_passed_on(authority, kind):
    with behind_a_proxy(authority) as daemon, kind(daemon.address, authority) as proxy:
        operator = daemon.operator()
        with daemon.client(address=proxy.plain) as client:
            session = talk(operator, client, "plain")
            check_who(session, client)
            assert "tls" not in session
        with Secure(proxy.plain, authority.client()) as client:
            session = talk(operator, client, "secure")
            check_who(session, client)
            assert session["tls"].startswith("TLSv1.3 TLS_"), session
            operator.close()
            hand_over(daemon)
            operator = daemon.operator()
            assert talk(operator, client, "still here")["session"] == session["session"]
        assert request(proxy.plain).status == 200
        assert request(proxy.plain, wrap=authority.wrap()).status == 200


def asker(program, address, authority):
    """A program that asks over TLS, closes its side and waits for the answer."""
    port, trusted = address[1], authority.certificate
    if program == "ncat":  # A bare end of file.
        return ["ncat", "-4", "--ssl-verify", "--ssl-trustfile", trusted, "localhost", str(port)]
    # close_notify
    return ["socat", "-t60", "-", f"OPENSSL:localhost:{port},pf=ip4,cafile={trusted}"]


@pytest.mark.parametrize("program", ["ncat", "socat"])
@pytest.mark.parametrize("kind", KEEPS_HALF)
def test_a_late_answer_comes_through_to_who_has_closed_its_side(
    daemon, proxy_of, authority, kind, program
):
    operator = daemon.operator()
    with Program(asker(program, proxy_of(kind).secure, authority)) as client:
        client.say("deploy?")
        client.end_input()
        session = operator.wait_event("asking")["session"]
        operator.call("send", to=session, text="yes, now")
        # nginx says close_notify only to who has said it, and ncat calls that an error, if the
        # end does not come together with the answer.
        codes = (0, 1) if (kind, program) == (NginxStream, "ncat") else (0,)
        assert client.finish(*codes) == "yes, now\n"
    operator.wait_event("disconnected", session=session)


@pytest.mark.parametrize("kind", PASSES_ON)
def test_a_late_answer_comes_through_in_plain_text_too(daemon, proxy_of, kind):
    operator = daemon.operator()
    with Program(["nc.openbsd", "-N", *map(str, proxy_of(kind).plain)]) as client:
        client.say("deploy?")
        client.end_input()
        session = operator.wait_event("asking")["session"]
        operator.call("send", to=session, text="yes, now")
        assert client.finish() == "yes, now\n"
    operator.wait_event("disconnected", session=session)


def test_hitch_does_not_keep_half_a_connection(daemon, proxy_of, authority):
    """As doc/operations.md says. The question arrives, and the asker is gone."""
    operator = daemon.operator()
    with Program(asker("socat", proxy_of(Hitch).secure, authority)) as client:
        client.say("deploy?")
        client.end_input()
        session = operator.wait_event("message", text="deploy?")["session"]
        assert client.finish() == ""
    operator.wait_event("asking", session=session)  # for chatd it waits for an answer
    operator.call("kick", session=session)


def test_haproxy_tells_the_name_in_a_verified_certificate(daemon, proxy_of, authority):
    operator = daemon.operator()
    secure = proxy_of(Haproxy).secure
    with Secure(secure, authority.client("ann")) as client:
        session = talk(operator, client, "hello")
        assert operator.events_of("connected")[0]["verified"] == "ann"
        assert session["verified"] == "ann" and session["tls"] == "TLSv1.3"
    with Secure(secure, authority.client()) as client:
        assert "verified" not in talk(operator, client, "nobody")


@pytest.mark.parametrize(
    "server",
    ["send-proxy-v2-ssl-cn check", "check", "send-proxy-v2 no-check-send-proxy check"],
    ids=["LOCAL", "plain connects", "connects without the header"],
)
def test_checks_of_health_are_no_sessions_and_no_events(authority, server):
    """Neither by the protocol, nor by connections that are closed at once, where the listener wants
    the protocol or not. That twenty of them were good haproxy says itself; each may take as long as
    `inter`, so that a machine that does much else is no failure."""
    port = free_port()
    plain = {"limits": FOR_ONE_ORIGIN, "listen": [{"address": "127.0.0.1", "port": port}]}
    changes = {"send-proxy-v2-ssl-cn check": f"{server} inter 5s fastinter 20 downinter 20 rise 20 fall 1"}
    with Haproxy(("127.0.0.1", port), authority, changes) as proxy:
        wait_until(lambda: "is DOWN" in proxy.said(), "haproxy finds nobody")
        with behind_a_proxy(port=port) if "send-proxy" in server else Daemon(plain) as daemon:
            operator = daemon.operator()
            wait_until(lambda: "is UP" in proxy.said(), "haproxy has looked twenty times")
            assert operator.events == [] and operator.call("sessions") == []
            with daemon.client(address=proxy.plain) as client:
                talk(operator, client, "hello")
                client.send(b"bye\n")
                client.expect_end()
            operator.wait_event("disconnected")
            methods = [each["method"] for each in operator.events]
            assert methods == ["connected", "message", "sent", "disconnected"]


# --- nginx as a proxy for HTTP ---


def test_browsers_and_programs_come_through_nginx_as_a_proxy_for_http(authority):
    """Behind it all have the address of nginx. The names of the site are those of the browser."""
    hosts = {"web": {"hosts": ["127.0.0.1"]}, "limits": FOR_ONE_ORIGIN}
    with Daemon(hosts) as daemon, NginxHttp(daemon.address, authority) as proxy:
        operator = daemon.operator()
        check_web(operator, proxy, authority)
        with_etag = request(proxy.secure, wrap=authority.wrap(), fields=CLOSE)
        again = request(
            proxy.secure,
            wrap=authority.wrap(),
            fields=[*CLOSE, f"If-None-Match: {with_etag.fields['etag']}"],
        )
        assert again.status == 304 and again.body == b""
        packing = [*CLOSE, "Accept-Encoding: gzip"]
        packed = request(proxy.secure, "/chat.js", wrap=authority.wrap(), fields=packing)
        assert packed.fields["content-encoding"] == "gzip" and gzip.decompress(packed.body)
        with WebSocket(proxy.secure, wrap=authority.wrap()) as program:
            program.send("before")
            session = operator.wait_event("message", text="before")["session"]
            assert operator.session(session)["address"].startswith("127.0.0.1:")
            operator.close()
            hand_over(daemon)
            operator = daemon.operator()
            operator.call("send", to=session, text="still here")
            program.expect("still here")


def test_nginx_says_to_chatd_what_the_browser_says_of_the_host(authority):
    hosts = {"web": {"hosts": ["chat.example"]}, "limits": FOR_ONE_ORIGIN}
    with Daemon(hosts) as daemon, NginxHttp(daemon.address, authority) as proxy:
        assert request(proxy.secure, wrap=authority.wrap(), fields=CLOSE).status == 421
        known = b"GET / HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n"
        assert request(proxy.secure, wrap=authority.wrap(), raw=known).status == 200
