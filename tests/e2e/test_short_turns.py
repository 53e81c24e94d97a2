"""Whatever operators ask, however much of it at once: the loop serves others in between."""

import json
import socket
import threading
import time

import pytest

from harness import FOR_ONE_ORIGIN, SANITIZER, Daemon, RpcError, speaking, wait_until

PROMISED = 0.05
"""Seconds that anybody waits at most for the loop."""
BUSY = 5
"""The tests share two cores with others."""


def asked_at_once(daemon, requests):
    """One connection that asks all of this in one go, and reads the answers meanwhile. Returns
    how many answers there were."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(daemon.control_path))
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for number, (method, params) in enumerate(requests, 1)
    ]
    writer = threading.Thread(target=sock.sendall, args=(("\n".join(lines) + "\n").encode(),))
    writer.start()
    answers = 0
    while answers < len(lines):
        data = sock.recv(1 << 20)
        assert data, "the connection ended"
        answers += data.count(b"\n")
    writer.join()
    sock.close()
    return answers


def times_of_another(daemon, until):
    """How long an operator waits for its answers, while `until` is not set."""
    times = []
    with daemon.operator(subscribe=False) as other:
        while not until.is_set():
            began = time.monotonic()
            other.call("stats")
            times.append(time.monotonic() - began)
            time.sleep(0.005)
        longest = other.call("stats")["longest_turn_ms"] / 1000
    return times, longest


def is_not_disturbed_by(daemon, requests):
    done = threading.Event()
    failed = []

    def ask():
        try:
            asked_at_once(daemon, requests)
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    asker = threading.Thread(target=ask)
    asker.start()
    times, longest = times_of_another(daemon, done)
    asker.join()
    assert not failed, failed
    assert longest < PROMISED * BUSY, f"a turn of {longest} s"
    assert sorted(times)[len(times) * 9 // 10 - 1] < PROMISED * BUSY, sorted(times)[-5:]


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer takes several times as long")
def test_pipelined_requests_leave_turns_to_others():
    with Daemon({"limits": FOR_ONE_ORIGIN}) as daemon:
        operator = daemon.operator(subscribe=False)
        clients = [daemon.client() for _ in range(800)]
        wait_until(lambda: operator.call("stats")["sessions"] == 800, "all are there")
        is_not_disturbed_by(daemon, [("sessions", {})] * 600)
        for client in clients:
            client.close()


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer takes several times as long")
def test_thousands_of_bans_leave_turns_to_others():
    bans = [("ban", {"address": f"10.{n >> 8 & 255}.{n & 255}.7"}) for n in range(5000)]
    with Daemon() as daemon:
        is_not_disturbed_by(daemon, [*bans, *[("bans", {})] * 20])
        with daemon.operator() as operator:
            assert len(operator.call("bans")) == 5000


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer takes several times as long")
def test_a_search_bomb_costs_others_nothing():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for number in range(200):
            client.send(b"a b c d e f g %d\n" % number)
        operator.wait_event("message", text="a b c d e f g 199")
        with pytest.raises(RpcError):
            operator.call("search", text=".".join("a" * 250_000))
        is_not_disturbed_by(
            daemon, [("search", {"text": " ".join("abcdefg" * 8), "limit": 1000})] * 200
        )
        client.send(b"and it is recorded\n")
        operator.wait_event("message", text="and it is recorded")
        found = operator.call("search", text="recorded")["messages"]
        assert [each["text"] for each in found] == ["and it is recorded"]
        client.close()
