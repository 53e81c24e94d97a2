"""What one client, or many, can take from a daemon: no more than its limits say, and
nothing from the others."""

import os
import re
import threading
import time
from pathlib import Path

import pytest

from harness import (
    FOR_ONE_ORIGIN,
    SANITIZER,
    Client,
    Daemon,
    RpcError,
    connect,
    scaled,
    speaking,
    wait_until,
)
from harness.network import OWN_NETWORK, in_network_of

UNPACED = {"messages_per_second": 1000000, "messages_burst": 1000000, **FOR_ONE_ORIGIN}

MIB = 1 << 20


def is_turned_away(client):
    """Whether a client was refused: an end, or a reset, and no session."""
    try:
        return client.socket.recv(1000) == b""
    except ConnectionResetError:
        return True


def refused_in_log(daemon):
    """The refused connections that the log speaks of, one number a line."""
    return [int(count) for count in re.findall(r"refused (\d+) connection", daemon.log())]


def leave_a_place(daemon, *clients):
    """Makes them leave, and waits until their places are free."""
    before = daemon.fds()
    for client in clients:
        client.leave()
    wait_until(lambda: daemon.fds() == before - len(clients), "the places are free")


# Sessions.


def test_one_session_too_many_is_turned_away_and_a_freed_place_is_used_again():
    with Daemon({"limits": {"sessions": 3}}) as daemon:
        operator = daemon.operator()
        clients = [speaking(daemon, operator)[0] for _ in range(3)]
        with daemon.client() as fourth:
            assert is_turned_away(fourth)
        assert operator.call("stats")["refused"] == 1
        assert len(operator.call("sessions")) == 3
        leave_a_place(daemon, clients.pop())
        clients.append(speaking(daemon, operator)[0])
        assert [s["session"] for s in operator.call("sessions")] == [1, 2, 4]
        for client in clients:
            client.close()


def test_one_address_has_its_own_limit():
    with Daemon({"limits": {"sessions_per_address": 2}}) as daemon:
        operator = daemon.operator()
        first = [speaking(daemon, operator, source="127.0.0.5")[0] for _ in range(2)]
        with daemon.client(source="127.0.0.5") as third:
            assert is_turned_away(third)
        other = speaking(daemon, operator, source="127.0.0.6")[0]
        leave_a_place(daemon, first.pop())
        speaking(daemon, operator, source="127.0.0.5")[0].close()
        other.close()
        first.pop().close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a network")
def test_ipv6_addresses_are_counted_by_their_64_bits():
    config = {
        "listen": [{"address": "::", "port": 0}],
        "limits": {"sessions_per_address": 2},
    }
    with Daemon(config, prefix=OWN_NETWORK) as daemon:
        operator = daemon.operator()

        def connect_from(source):
            address = ("fd00:0:0:3::1", daemon.port)
            return in_network_of(daemon.pid, lambda: Client(address, source=source))

        for network in ("1", "2"):
            sources = [f"fd00:0:0:{network}::1"] * 2
            if network == "1":
                sources = ["fd00:0:0:1::1", "fd00:0:0:1::2"]
            admitted = [connect_from(source) for source in sources]
            for client in admitted:
                operator.session_of(client)
            last = "fd00:0:0:1::ffff" if network == "1" else "fd00:0:0:2::1"
            with connect_from(last) as refused:
                assert is_turned_away(refused)
            for client in admitted:
                client.close()
                operator.wait_event("disconnected")


def test_clients_of_a_unix_socket_are_counted_by_user():
    home_listener = [{"address": "unix:@HOME@/c.sock"}]
    with Daemon({"listen": home_listener, "limits": {"sessions_per_address": 2}}) as daemon:
        operator = daemon.operator()
        clients = [daemon.client() for _ in range(2)]
        for _ in clients:
            assert operator.wait_event("connected")["address"] == f"uid:{os.getuid()}"
        with daemon.client() as third:
            assert is_turned_away(third)
        for client in clients:
            client.close()


def test_refusals_are_logged_once_an_interval_with_a_count():
    with Daemon({"limits": {"sessions": 1}}) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        # More than may wait for a place for a moment.
        many = [daemon.client() for _ in range(100)]
        for refused in many:
            assert is_turned_away(refused)
            refused.close()
        assert operator.call("stats")["refused"] == 100
        wait_until(lambda: sum(refused_in_log(daemon)) == 100, "the log counts up to 100")
        assert len(refused_in_log(daemon)) == 2
        client.close()


def test_the_soft_descriptor_limit_is_raised_and_a_low_hard_one_is_said_once():
    with Daemon(prefix=["prlimit", "--nofile=256:4096"]) as daemon:
        limits = Path(f"/proc/{daemon.pid}/limits").read_text()
        assert re.search(r"Max open files +4096 +4096", limits)
        assert len(re.findall("limits.sessions", daemon.log())) == 1
    with Daemon({"limits": {"sessions": 100}}, prefix=["prlimit", "--nofile=256:4096"]) as daemon:
        assert "limits.sessions" not in daemon.log()


@pytest.mark.parametrize("descriptors", [16, 24])
def test_with_hardly_any_descriptors_it_still_serves_one_client(descriptors):
    # For a kind of object that it has not seen yet a sanitizer makes a pipe, and takes it for a
    # broken one without that.
    pipe = 2 if SANITIZER else 0
    with Daemon(descriptors=descriptors + pipe) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for _ in range(30):
            with daemon.client() as refused:
                assert is_turned_away(refused)
        operator.call("send", to=session, text="hello")
        client.expect(b"hello\n")
        leave_a_place(daemon, client)
        speaking(daemon, operator)[0].leave()


def can_attach(daemon):
    try:
        with daemon.operator() as another:
            return another.call("stats")
    except (AssertionError, OSError):
        return None


SPARE_CONNECTIONS = 32
"""Of operators, beside control.max_operators."""


def test_a_flood_of_operators_costs_nothing_and_locks_no_client_out():
    with Daemon({"control": {"max_operators": 8}}, descriptors=64) as daemon:
        operator = daemon.operator()
        # While descriptors last, so that a sanitizer sees every kind of object here.
        first, session = speaking(daemon, operator)
        operator.call("send", to=session, text="seen")
        first.expect(b"seen\n")
        first.leave()
        operator.wait_event("disconnected", session=session)
        wait_until(lambda: operator.call("sessions") == [], "the first client has gone")
        before = daemon.fds()
        lines = len(daemon.log().splitlines())
        flood = [connect(str(daemon.control_path)) for _ in range(60)]
        wait_until(lambda: operator.call("stats")["operators"] >= 8, "as many as may be")
        client, session = speaking(daemon, operator)
        operator.call("send", to=session, text="served")
        client.expect(b"served\n")
        client.leave()
        assert operator.call("stats")["operators"] <= 8 + SPARE_CONNECTIONS
        for sock in flood:
            sock.close()
        # Connections of the flood that still wait to be accepted come and go first: until then
        # an operator may be one too many.
        wait_until(lambda: can_attach(daemon), "another operator can attach")
        wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
        said = daemon.log().splitlines()[lines:]
        assert len([line for line in said if "refused" in line]) <= 2, said


def test_200_connections_against_64_descriptors_cost_nothing_and_lock_nobody_out():
    with Daemon(descriptors=64) as daemon:
        daemon.wait_log(r"descriptor|open files|limit")  # It is said once.
        with daemon.operator() as operator:
            empty = daemon.fds()
            clients = [daemon.client() for _ in range(200)]
            wait_until(
                lambda: (s := operator.call("stats"))["accepted"] + s["refused"] >= 200
                or s["accepted"] >= 64,
                "all were looked at",
            )
            admitted = operator.call("stats")["accepted"]
            assert 10 < admitted < 64
            assert daemon.rests(3, 0.1)
            # Operators still come in, and all is served.
            with daemon.operator() as second:
                assert len(second.call("sessions")) == admitted
            by_address = {entry["address"]: entry for entry in operator.call("sessions")}
            inside = [c for c in clients if c.address in by_address]
            outside = [c for c in clients if c.address not in by_address]
            assert len(inside) == admitted
            for client in outside:
                assert is_turned_away(client)
                client.close()
            for client in inside:  # Whoever never said a word would make room.
                session = by_address[client.address]["session"]
                client.send(b"hi\n")
                operator.wait_event("message", session=session)
                operator.call("send", to=session, text="ho")
                client.expect(b"ho\n")
            # Only a freed place is used again.
            leave_a_place(daemon, *inside[:5])
            again = [speaking(daemon, operator)[0] for _ in range(5)]
            with daemon.client() as refused:
                assert is_turned_away(refused)
            for client in [*inside[5:], *again]:
                client.leave()
            wait_until(lambda: daemon.fds() == empty, f"{empty} descriptors again")
            assert len(daemon.log().splitlines()) < 2 * admitted + 60


# Input.


def test_a_client_that_is_too_fast_is_read_slower_and_loses_nothing():
    with Daemon({"limits": {"messages_per_second": 20, "messages_burst": 10}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as fast, daemon.client() as other:
            session = operator.session_of(fast)
            began = time.monotonic()
            fast.send(b"".join(b"%d\n" % n for n in range(60)))
            for n in range(10):
                operator.wait_event("message", session=session, text=str(n))
            other.send(b"meanwhile\n")
            operator.wait_event("message", text="meanwhile")
            assert operator.events_of("message", session=session, text="59") == []
            for n in range(10, 60):
                assert operator.wait_event("message", session=session)["text"] == str(n)
            # Ten come at once, the others at 20 a second: it cannot have been faster.
            assert time.monotonic() - began > 2.4


def test_too_fast_and_then_gone_still_loses_nothing():
    with Daemon({"limits": {"messages_per_second": 50, "messages_burst": 5}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as fast:
            fast.send(b"".join(b"%d\n" % n for n in range(50)) + b"bye\n")
            session = operator.session_of(fast)
        operator.wait_event("disconnected", session=session)
        texts = [event["text"] for event in operator.events_of("message", session=session)]
        assert texts == [str(n) for n in range(50)]


def test_a_reset_of_a_client_past_its_rate_is_noticed_at_once():
    limits = {"messages_per_second": 0.1, "messages_burst": 5}  # it is read again in 50 s
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        client = daemon.client()
        client.send(b"".join(b"%d\n" % number for number in range(50)))
        session = operator.session_of(client)
        operator.wait_event("message", session=session, text="4")
        client.reset()
        gone = operator.wait_event("disconnected", session=session)
        assert gone["reason"] == "connection reset; it had sent more, too fast to be read"
        # One burst of what waited, and no more.
        assert operator.call("stats")["messages_in"] == 10


@pytest.mark.parametrize("first", [b"", b"hello\n", b"\xff\xf1", b"hello"])
def test_300_mib_without_a_newline_cost_no_memory_and_disturb_nobody(first):
    total = scaled(300, address=10, thread=20) * MIB
    chunk = b"x" * MIB
    with Daemon({"limits": UNPACED}) as daemon:
        operator = daemon.operator()
        other, other_session = speaking(daemon, operator)
        with daemon.client() as client:
            client.send(first)
            session = operator.session_of(client)
            if first.startswith(b"hello"):
                operator.wait_event("message", session=session, text="hello")
            for _ in range(8):
                client.send(chunk)
            before = daemon.rss()
            answered = 0
            done = threading.Event()

            flooded = 0

            def flood():
                nonlocal flooded
                try:
                    while flooded < total:
                        client.send(chunk)
                        flooded += MIB
                finally:
                    done.set()

            flooder = threading.Thread(target=flood)
            flooder.start()
            most = before
            while not done.is_set():
                other.send(b"are you there?\n")
                operator.wait_event("message", session=other_session)
                operator.call("send", to=other_session, text="yes")
                other.expect(b"yes\n")
                answered += 1
                most = max(most, daemon.rss())
            flooder.join()
            # Under a sanitizer the flood is a tenth, and may be over soon.
            assert flooded == total and answered >= (1 if SANITIZER else 3)
            if not SANITIZER:
                assert most - before < MIB, f"{before} grew to {most}"
            client.send(b"\nand on\n")
            message = operator.wait_event("message", session=session, cut=True)
            assert set(message["text"]) == {"x"} and len(message["text"]) == 8192
            operator.wait_event("message", session=session, text="and on")
        other.close()


# Output.


def test_a_client_that_never_reads_10_mb_is_closed_alone_and_the_operator_hears_why():
    text = "x" * 10_000
    with Daemon({"limits": UNPACED}) as daemon:
        operator = daemon.operator()
        other, other_session = speaking(daemon, operator)
        with daemon.client(receive_buffer=4096) as client:
            client.send(b"hi\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            sent = 0
            try:
                for _ in range(1000):
                    operator.call("send", to=session, text=text)
                    sent += 1
                    if sent % 50 == 0:
                        operator.call("send", to=other_session, text="you are served")
                        other.expect(b"you are served\n")
            except RpcError as refused:
                assert refused.code in (1, 4)
            event = operator.wait_event("disconnected", session=session)
            assert sent < 1000
            assert re.search("read|slow|queue|output|wait", event["reason"]), event
            assert event["lost"] > 0
            stats = operator.call("stats")
            assert stats["lost"] >= event["lost"]
            assert operator.session(session) is None
            assert daemon.rss() < 60 * MIB or SANITIZER
        other.send(b"still here\n")
        operator.wait_event("message", session=other_session, text="still here")
        other.close()


def test_a_broadcast_past_the_limit_of_one_reaches_all_the_others():
    text = "x" * 10_000
    with Daemon({"limits": UNPACED}) as daemon:
        operator = daemon.operator()
        readers = [speaking(daemon, operator)[0] for _ in range(3)]
        with daemon.client(receive_buffer=4096) as client:
            client.send(b"hi\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            sent = 0
            while not operator.events_of("disconnected", session=session):
                operator.call("send", to="all", text=text)
                sent += 1
                for reader in readers:
                    reader.expect(text.encode() + b"\n")
                assert sent < 3000
        for reader in readers:
            reader.close()


@pytest.mark.parametrize(
    "first, text, got",
    [
        (b"hi\n", "x" * 65536, b"x" * 65536 + b"\n"),
        (b"\xff\xf1hi\r\n", "\n" * 65536, b"\r\n" * 65537),
    ],
    ids=["line", "telnet"],
)
def test_a_message_as_long_as_may_be_is_taken_whatever_its_line_ends_add(first, text, got):
    with Daemon({"limits": {"output_hard": "64KiB", "output_soft": "16KiB"}}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, first)
        for _ in range(3):
            receipt = operator.call("send", to=session, text=text)
            assert receipt["delivered"] == [session]
            client.expect(got)
        client.close()


def test_what_is_held_for_an_original_client_is_bounded():
    with Daemon({"limits": {"output_hard": "64KiB", "output_soft": "16KiB"}}) as daemon:
        operator = daemon.operator()
        other, other_session = speaking(daemon, operator)
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            held = 0
            try:
                for _ in range(100):
                    answer = operator.call("send", to=session, text="x" * 1000)
                    held += len(answer["held"])
            except RpcError as refused:
                assert refused.code in (1, 4) and refused.message
            assert 30 <= held <= 66
        operator.call("send", to=other_session, text="you are served")
        other.expect(b"you are served\n")
        other.close()


def test_a_slow_reader_that_does_read_is_not_closed():
    text = "x" * 1000
    with Daemon({"limits": UNPACED}) as daemon:
        operator = daemon.operator()
        with daemon.client(receive_buffer=4096) as client:
            client.send(b"hi\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            for _ in range(30):
                for _ in range(100):
                    operator.call("send", to=session, text=text)
                for _ in range(100):
                    client.expect(text.encode() + b"\n")
            assert operator.session(session) is not None
