"""Restarts of the service, asked for and not: which sessions go on as if nothing had
happened, and which get a goodbye."""

import resource
import selectors
import signal
from collections import Counter
from functools import partial

import pytest
from probe import Probe
from service import ADDRESS, CONTROL

from harness import FOR_ONE_ORIGIN, Client, wait_until
from harness.crowd import Answerer, Crowd, check_ledgers
from harness.speakers import Line, Original, Page, Socket, Telnet, Wire

CONFIG = {
    "limits": {"sessions": 16000, **FOR_ONE_ORIGIN},
    "session": {"farewell": "farewell"},
}

RESTARTS = 50
TALKING = {
    # name: (what it is, within TLS, how many)
    "line": (Line, False, 500),
    "secure-line": (Line, True, 500),
    "websocket": (Socket, False, 500),
    "secure-websocket": (Socket, True, 50),
    "telnet": (Telnet, False, 50),
    "original": (Original, False, 50),
    "secure-original": (Original, True, 50),
    "page": (Page, False, 50),
    "secure-page": (Page, True, 50),
}
ANSWERS = 300
"""After each restart."""


@pytest.fixture
def busy(service):
    service.configure(CONFIG)
    service.systemctl("reload")
    return service


def test_fifty_restarts_with_clients_of_every_kind_that_talk(busy, authority):
    """500 of TLS and 500 of WebSockets among them."""
    certificate, key = busy.bring(authority.sign("localhost"), "etc/chatd/tls")
    listen = {"address": ADDRESS[0], "port": ADDRESS[1], "tls_certificate": certificate, "tls_key": key}
    busy.configure(CONFIG | {"listen": [listen]})
    busy.systemctl("reload")
    context = authority.client()
    speakers = [
        what(f"{kind}-{number}", partial(Wire, ADDRESS, context=context if secure else None))
        for kind, (what, secure, count) in TALKING.items()
        for number in range(count)
    ]
    answerer = busy.keep(Answerer(busy.machine.root / CONTROL))
    crowd = busy.keep(Crowd(speakers, pause=1, run=busy.machine.connected))
    crowd.goal = float("inf")
    crowd.wait_answered(len(speakers))
    pids = {busy.pid()}
    for _ in range(RESTARTS):
        busy.restart()
        pids.add(busy.pid())
        crowd.wait_answered(ANSWERS)
    assert len(pids) == RESTARTS + 1
    crowd.goal = 0
    crowd.wait_quiet()
    sessions = check_ledgers(crowd, answerer)
    assert all(len(each) == 1 for each in sessions.values())
    assert answerer.attached > RESTARTS
    pages = [speaker for speaker in speakers if isinstance(speaker, Page)]
    # One that is on its way back when the next restart comes has not heard that it was let in.
    assert all(RESTARTS // 2 < page.resumed <= RESTARTS for page in pages)
    said = sum(len(speaker.said) for speaker in speakers)
    answered = sum(speaker.texts for speaker in speakers)
    operator = busy.operator()
    stats = operator.call("stats")
    assert (stats["sessions"], stats["accepted"]) == (len(speakers), len(speakers))
    assert (stats["messages_in"], stats["messages_out"], stats["delivered"]) == (said, answered, answered)
    assert (stats["lost"], stats["recording_lost"]) == (0, 0)
    by_kind = Counter((entry["dialect"], "tls" in entry) for entry in operator.call("sessions"))
    assert by_kind == Counter(
        {(what.DIALECT, secure): count for what, secure, count in TALKING.values()}
    )


def everyone_hears(clients, line):
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        while selector.get_map():
            ready = selector.select(60)
            assert ready, f"{len(selector.get_map())} clients heard nothing"
            for key, _ in ready:
                key.data.expect(line)
                selector.unregister(key.fileobj)


def test_one_restart_with_fifteen_thousand_idle_clients(busy):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = 15000
    assert most > count + 500, f"the limit of open files is {most} here"

    def connect():
        # From several addresses, as the kernel looks long for a port of one.
        clients = []
        for number in range(count):
            clients.append(Client(("127.0.0.1", 8080), source=f"127.0.0.{number % 6 + 2}"))
            busy.keep(clients[-1])
        return clients

    clients = busy.machine.connected(connect)
    operator = busy.operator(subscribe=False)
    wait_until(lambda: operator.call("stats")["sessions"] == count, "all are there")
    probe = busy.keep(Probe(busy))
    busy.restart()
    answers = len(probe.times)
    wait_until(lambda: probe.errors or len(probe.times) > answers + 100, "the next one answers")
    probe.stop()
    assert probe.errors == []
    operator = busy.operator(subscribe=False)
    assert operator.call("stats")["sessions"] == count + len(probe.clients)
    sent = operator.call("send", to="all", text="still here")
    assert len(sent["delivered"] + sent["held"]) == count + len(probe.clients)
    everyone_hears(clients, b"still here\n")
    gap = probe.longest_silence()
    print(f"nobody answered for {gap * 1000:.0f} ms")
    assert gap < 2


def test_a_stop_says_goodbye_and_a_start_begins_anew(busy):
    client, _ = busy.speaking(busy.operator())
    busy.systemctl("stop")
    client.expect(b"farewell\n")
    client.expect_end()
    busy.start()
    assert busy.operator().call("stats")["sessions"] == 0


def test_a_daemon_that_hangs_is_restarted_and_its_sessions_go_on(busy):
    busy.drop_in("watchdog.conf", "[Service]\nWatchdogSec=2\n")
    busy.restart()
    operator = busy.operator()
    talking = [busy.speaking(operator, b"line %d\n" % number) for number in range(20)]
    wait_in_store(busy, 20)
    old = busy.pid()
    busy.kill(signal.SIGSTOP)
    busy.wait_restarted(old)
    assert "Watchdog timeout" in busy.journal()
    go_on(busy, talking)


def test_a_daemon_that_is_killed_is_restarted_and_its_sessions_go_on(busy):
    operator = busy.operator()
    talking = [busy.speaking(operator, b"line %d\n" % number) for number in range(100)]
    for client, session in talking:
        operator.call("send", to=session, text="answer")
        client.expect(b"answer\n")
    wait_in_store(busy, 100)
    old = busy.pid()
    busy.kill(signal.SIGKILL)
    busy.wait_restarted(old)
    go_on(busy, talking)


def wait_in_store(service, sessions):
    """A session is kept in the descriptor store soon after it is a second old."""
    wait_until(
        lambda: int(service.property("NFileDescriptorStore")) >= sessions,
        "the service manager has them",
        interval=0.1,
    )


def go_on(service, talking):
    operator = service.operator()
    for client, session in talking:
        client.send(b"still here?\n")
        operator.wait_event("message", session=session, text="still here?")
        operator.call("send", to=session, text="yes")
        client.expect(b"yes\n")
