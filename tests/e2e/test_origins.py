"""What one origin may cost: an address, an IPv6 network, a user of the machine. Whoever comes from
elsewhere gets in and is heard, whatever one of them does."""

import os
import subprocess
import sys
import threading

import pytest

from harness import CHATCTL, FOR_ONE_ORIGIN, Client, Daemon, hand_over, speaking, wait_until
from harness.network import ANY_IPV6, in_network_of

GAVE_WAY = "gave way to another client"

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can make a network, or others")

AS_NOBODY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(b"from somebody else\\n")
print(client.recv(100).decode(), end="")
"""


def is_refused(client):
    """Whether it is closed without a byte."""
    try:
        return client.socket.recv(1) == b""
    except ConnectionResetError:
        return True


def origins(operator, **params):
    return {each["origin"]: each for each in operator.call("origins", **params)}


def quiet_crowd(daemon, operator, count, **how):
    """So many connections that say nothing."""
    before = operator.call("stats")["accepted"]
    crowd = [daemon.client(**how) for _ in range(count)]
    wait_until(lambda: operator.call("stats")["accepted"] == before + count, "all are there")
    return crowd


def all_were_silent(operator, count):
    """For a second, so that they are no new ones any more."""
    wait_until(
        lambda: sum(each["idle_ms"] > 1100 for each in operator.call("sessions")) >= count,
        f"{count} say nothing",
    )


def close_all(clients):
    for client in clients:
        client.close()


def test_whoever_never_said_a_word_makes_room_for_a_stranger():
    limits = {**FOR_ONE_ORIGIN, "sessions": 20}
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        person, session = speaking(daemon, operator, source="127.0.0.2")
        few = quiet_crowd(daemon, operator, 3, source="127.0.0.3")
        many = quiet_crowd(daemon, operator, 16, source="127.0.0.4")
        ids = [each["session"] for each in operator.call("sessions")]
        all_were_silent(operator, 19)
        for number in range(5):
            other, _ = speaking(daemon, operator, source=f"127.0.1.{number + 1}", timeout=20)
            gone = operator.wait_event("disconnected", reason=GAVE_WAY)
            assert gone["session"] == ids[4 + number], "the oldest of those who are many"
            many.append(other)
        assert {each["session"] for each in operator.call("sessions")} >= set(ids[:4])
        close_all([person, *few, *many])


def test_one_address_cannot_fill_the_house_with_sessions_that_speak():
    limits = {**FOR_ONE_ORIGIN, "sessions": 12}
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        crowd = [speaking(daemon, operator, source="127.0.0.3") for _ in range(12)]
        stranger, _ = speaking(daemon, operator, source="127.0.0.4")
        gone = operator.wait_event("disconnected", reason=GAVE_WAY)
        assert gone["session"] == crowd[0][1], "the one that has been idle longest"
        # But no address takes from itself, or from its like.
        with daemon.client(source="127.0.0.3") as one_more:
            assert is_refused(one_more)
        close_all([stranger, *(client for client, _ in crowd)])


@ROOT_ONLY
def test_a_network_of_48_bits_has_sixteen_shares_and_no_more():
    config = {"listen": [{"address": "::", "port": 0}], "limits": {"sessions_per_address": 2}}
    with Daemon(config, prefix=ANY_IPV6) as daemon:
        operator = daemon.operator()

        def connect_from(source):
            address = ("fd00::1", daemon.port)
            return in_network_of(daemon.pid, lambda: Client(address, source=source))

        clients = []
        for number in range(0x30):  # each /64 twice, in /56 of eight
            for host in (1, 2):
                clients.append(connect_from(f"fd00:0:1:{(number // 8) << 8 | number % 8:x}::{host}"))
        wait_until(
            lambda: operator.call("stats")["accepted"] + operator.call("stats")["refused"] == 0x60,
            "all are in or refused",
        )
        # Eight of each /56, and the whole /48 has 32.
        by_origin = origins(operator)
        assert by_origin["fd00:0:1::/48"]["sessions"] == 32
        assert by_origin["fd00:0:1::/56"]["sessions"] == 8
        assert by_origin["fd00:0:1::/64"]["sessions"] == 2
        assert by_origin["fd00:0:1::/48"]["refused"] == 0x60 - 32
        with connect_from("fd00:0:2::1") as stranger:
            stranger.send(b"from elsewhere\n")
            operator.wait_event("message", text="from elsewhere")
        close_all(clients)


@ROOT_ONLY
def test_a_user_who_takes_all_places_of_a_unix_socket_locks_out_nobody():
    config = {"listen": [{"address": "unix:@HOME@/c.sock"}], "limits": {"connects_per_second": 0}}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        crowd = [daemon.client() for _ in range(100)]
        wait_until(lambda: operator.call("stats")["refused"] == 36, "the rest is refused")
        path = f"{daemon.home.path}/c.sock"
        other = subprocess.Popen([sys.executable, "-c", AS_NOBODY, path], stdout=subprocess.PIPE)
        heard = operator.wait_event("message", text="from somebody else")
        listed = operator.session(heard["session"])
        assert listed["address"] == "uid:65534"
        operator.call("send", to=heard["session"], text="welcome")
        assert other.communicate(timeout=60)[0] == b"welcome\n"
        assert origins(operator)["uid:0"]["sessions"] == 64
        # A ban names a user as it names an address.
        operator.call("ban", address="uid:65534")
        again = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert again.stdout == b""
        hand_over(daemon)
        with daemon.operator() as next_operator:
            assert origins(next_operator)["uid:0"]["sessions"] == 64
            assert [ban["address"] for ban in next_operator.call("bans")] == ["uid:65534"]
        close_all(crowd)


def test_whoever_connects_too_often_is_refused_and_counted():
    with Daemon({"limits": {"connects_per_second": 1, "sessions_per_address": 0}}) as daemon:
        operator = daemon.operator()
        crowd = [daemon.client(source="127.0.0.3") for _ in range(40)]
        wait_until(
            lambda: operator.call("stats")["accepted"] + operator.call("stats")["refused"] == 40,
            "all are in or refused",
        )
        mine = origins(operator)["127.0.0.3"]
        assert mine["connects"] == 40
        assert 5 <= mine["sessions"] < 35 and mine["refused"] == 40 - mine["sessions"]
        with daemon.client(source="127.0.0.4") as stranger:
            operator.session_of(stranger)
        close_all(crowd)
        daemon.wait_log("limits.connects_per_second")


def test_what_one_address_says_too_fast_is_read_later_and_all_of_it():
    limits = {
        "bytes_per_second": "64KiB",
        "messages_per_second": 1000000,
        "messages_burst": 1000000,
    }
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        with daemon.client(source="127.0.0.3") as fast, daemon.client(source="127.0.0.4") as calm:
            # Eight seconds' worth at once, and some more.
            lines = [b"%06d " % number + b"x" * 1000 for number in range(600)]
            fast.socket.settimeout(60)
            sender = threading.Thread(target=fast.send, args=(b"".join(b + b"\n" for b in lines),))
            sender.start()
            calm.send(b"I say little\n")
            operator.wait_event("message", text="I say little")
            wait_until(
                lambda: len(operator.events_of("message")) == len(lines) + 1,
                "all is heard",
                timeout=60,
            )
            sender.join()
            said = [event["text"] for event in operator.events_of("message")]
            said.remove("I say little")
            assert said == [line.decode() for line in lines]
            assert origins(operator)["127.0.0.3"]["messages"] == len(lines)


def test_who_is_read_late_is_not_taken_to_be_silent():
    """Its origin has said too much, so that what it said at once is read seconds later."""
    limits = {
        "bytes_per_second": "16KiB",
        "messages_per_second": 1000000,
        "messages_burst": 1000000,
    }
    with Daemon({"session": {"greeting": "hello"}, "limits": limits}) as daemon:
        operator = daemon.operator()
        with daemon.client() as fast:
            lines = (b"x" * 1000 + b"\n") * 300  # eight seconds' worth, and ten
            fast.socket.settimeout(60)
            sender = threading.Thread(target=fast.send, args=(lines,))
            sender.start()
            wait_until(
                lambda: len(operator.events_of("message")) >= 128, "it has said all that it may"
            )
            with daemon.client() as original, daemon.client() as browser:
                original.send(b"This is from Client")
                browser.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                session = operator.session_of(original)
                event = operator.wait_event("message", session=session, timeout=60)
                assert event["text"] == "This is from Client"
                entry = operator.session(session)
                assert entry["dialect"] == "original"
                operator.call("send", to=session, text="welcome")
                original.expect(b"welcome")  # and nothing before it
                browser.expect(b"HTTP/1.1 200 OK\r\n")
                assert len(operator.events_of("connected")) == 2  # the browser was never a person
            sender.join()


def test_memory_has_a_limit_and_who_takes_most_gives_way():
    """Two hundred clients of one address do not read what is sent to them."""
    limits = {**FOR_ONE_ORIGIN, "memory": "16MiB", "output_hard": "256KiB", "output_soft": "0B"}
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        person, session = speaking(daemon, operator, source="127.0.0.2")
        deaf = [
            speaking(daemon, operator, source="127.0.0.3", receive_buffer=2048)[0]
            for _ in range(200)
        ]
        ids = [each["session"] for each in operator.call("sessions")][1:]
        text = "x" * 30_000
        for _ in range(8):
            for number in ids:  # one by one: what is shared is counted once
                try:
                    operator.call("send", to=number, text=text)
                except Exception:
                    pass  # it has given way
        gone = operator.events_of("disconnected")
        assert gone and all("limits.memory" in event["reason"] for event in gone)
        assert operator.call("stats")["queued_bytes"] < 17 << 20
        assert session in {each["session"] for each in operator.call("sessions")}
        person.send(b"I am still here\n")
        operator.wait_event("message", text="I am still here")
        stats = operator.call("stats")
        assert stats["messages_out"] == stats["delivered"] + stats["held"] + stats["lost"]
        assert stats["lost"] > 0
        close_all([person, *deaf])


def test_operators_see_who_costs_what():
    with Daemon() as daemon:
        operator = daemon.operator()
        dear, _ = speaking(daemon, operator, source="127.0.0.3")
        for number in range(20):
            dear.send(b"number %d of many words\n" % number)
        cheap, _ = speaking(daemon, operator, source="127.0.0.4")
        operator.wait_event("message", text="number 19 of many words")
        listed = operator.call("origins")
        assert [each["origin"] for each in listed] == ["127.0.0.3", "127.0.0.4"]
        assert listed[0]["messages"] == 21 and listed[0]["records"] == 22
        assert listed[0]["sessions"] == 1 and listed[0]["connects"] == 1
        assert listed[0]["bytes"] > listed[1]["bytes"] > 0
        assert len(operator.call("origins", limit=1)) == 1
        shown = subprocess.run(
            [CHATCTL, "--socket", str(daemon.control_path), "origins"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert shown[0].split()[:3] == ["origin", "sessions", "connects"]
        assert shown[1].startswith("127.0.0.3") and shown[2].startswith("127.0.0.4")
        close_all([dear, cheap])
