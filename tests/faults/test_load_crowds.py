"""Crowds: thousands of slow clients at once, a flood of connects, and everybody leaving
at once. What one costs does not depend on how many there are."""

import resource
import select
import socket
import struct

import pytest
from harness import FOR_ONE_ORIGIN, SANITIZER, Daemon, scaled, wait_until
from witness import MIB, Witness

FAST = {"messages_per_second": 1000000, "messages_burst": 1000000, **FOR_ONE_ORIGIN}

RESET = struct.pack("ii", 1, 0)


def crowd(daemon, witness, count):
    """`count` clients that have said hi."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    accepted = witness.operator.call("stats")["accepted"]
    sockets = []
    for number in range(count):
        sock = socket.socket()
        sock.bind((f"127.0.0.{2 + number % 100}", 0))
        sock.connect(daemon.address)
        sockets.append(sock)
    wait_until(
        lambda: witness.operator.call("stats")["accepted"] == accepted + count, "all are there"
    )
    return sockets


def messages_in(witness):
    return witness.operator.call("stats")["messages_in"]


def test_5000_slow_clients_at_once_hold_up_nobody():
    """Each sends its line byte by byte, all of them in turn. The listener takes lines only:
    with so many clients a byte may come later than `settle`, as an original client's would."""
    count = scaled(5000)
    line = b"slow but sure\n"
    lines = [{"address": "127.0.0.1", "port": 0, "dialect": "line"}]
    with Daemon({"limits": FAST, "listen": lines}) as daemon:
        witness = Witness(daemon)
        sockets = crowd(daemon, witness, count)
        before = messages_in(witness)
        for place in range(len(line)):
            for number, sock in enumerate(sockets):
                sock.send(line[place : place + 1])
                if number % 1000 == 0:
                    witness.is_served()
        wait_until(
            lambda: len(witness.operator.events_of("message", text="slow but sure")) == count,
            "all were heard",
        )
        assert messages_in(witness) == before + count + len(line) * -(-count // 1000)
        for sock in sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()
        # What they leave behind is given back a second later.
        wait_until(lambda: witness.operator.call("stats")["sessions"] == 1, "all have left")
        if not SANITIZER:
            wait_until(lambda: daemon.rss() < witness.rss + 8 * MIB, "memory is given back")
        witness.all_is_back(memory=8 * MIB)


def test_a_flood_of_50000_connects_locks_nobody_out_and_leaves_nothing():
    """The connects come without a pause, and each is reset at once, or after a word, or refused."""
    count = scaled(50_000)
    limits = {**FAST, "sessions": 200}
    with Daemon({"limits": limits}) as daemon:
        witness = Witness(daemon)
        under_way, made = [], 0

        def connect(number):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.setblocking(False)
            sock.bind((f"127.0.{1 + number % 50}.2", 0))
            sock.connect_ex(daemon.address)
            under_way.append(sock)

        def leave():
            for place, old in enumerate(under_way[:200]):
                if place % 2 == 0:
                    try:
                        old.send(b"a word\n")
                    except OSError:
                        pass
                old.close()
            del under_way[:200]

        def have_come():
            stats = witness.operator.call("stats")
            return stats["accepted"] + stats["refused"]

        # A client that was reset before it was accepted may never have been there: the busier the
        # machine, the more of them. So it goes on until half as many have been there.
        while made < count or (have_come() <= count // 2 and made < 5 * count):
            for number in range(made, made + 5000):
                connect(number)
                if len(under_way) == 400:
                    leave()
            made += 5000
            witness.is_served()
        for sock in under_way:
            sock.close()
        wait_until(lambda: witness.operator.call("stats")["sessions"] == 1, "all have left")
        if not SANITIZER:
            wait_until(lambda: daemon.rss() < witness.rss + 8 * MIB, "memory is given back")
        stats = witness.all_is_back(memory=8 * MIB)
        assert stats["accepted"] + stats["refused"] <= made + 1
        assert stats["accepted"] + stats["refused"] > count // 2
        ended = len(witness.operator.events_of("disconnected"))
        assert stats["accepted"] == ended + 1


def cost_of(daemon, act, witness):
    used = daemon.cpu_seconds()
    act()
    witness.is_served(after_others=True)
    return daemon.cpu_seconds() - used


def resets(daemon, witness, sockets):
    """All clients send at the same time."""
    def act():
        for sock in sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()
        wait_until(lambda: witness.operator.call("stats")["sessions"] == 1, "all have left")

    return act


def broadcasts(daemon, witness, sockets):
    def act():
        for number in range(10):
            receipt = witness.operator.call("send", to="all", text="to all")
            assert len(receipt["delivered"]) + len(receipt["held"]) == len(sockets) + 1

    return act


def overflows(daemon, witness, sockets):
    """Each client is sent more than may wait for it."""
    def act():
        wait_until(lambda: send_much(), "all are closed")

    def send_much():
        witness.operator.call("send", to="all", text="x" * 60_000)
        drain(witness.client.socket)
        return witness.operator.call("stats")["sessions"] == 1

    return act


def drain(sock):
    while select.select([sock], [], [], 0)[0]:
        sock.recv(1 << 20)


def many_to_one(daemon, witness, sockets):
    """A list of recipients that names each of them, and one of them again and again."""
    def act():
        ids = [entry["session"] for entry in witness.operator.call("sessions")]
        for _ in range(10):
            witness.operator.call("send", to=ids + ids[:1] * len(ids), text="you all")

    return act


@pytest.mark.parametrize("kind", [resets, broadcasts, many_to_one, overflows])
def test_four_times_as_many_cost_no_more_than_about_four_times_as_much(kind):
    """Anything quadratic would cost sixteen times as much."""
    few, many = (100, 400) if kind is overflows else (scaled(800), scaled(3200))
    costs = []
    limits = {**FAST, "output_hard": "128KiB"}
    with Daemon({"limits": limits, "transcript": {"enabled": False}}) as daemon:
        for count in (few, many):
            witness = Witness(daemon)
            sockets = crowd(daemon, witness, count)
            for sock in sockets:
                sock.send(b"hi\n")
            wait_until(
                lambda: len(witness.operator.events_of("message", text="hi")) == count, "all spoke"
            )
            costs.append(cost_of(daemon, kind(daemon, witness, sockets), witness))
            for sock in sockets:
                if sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                sock.close()
            witness.client.leave()
            witness.operator.wait_event("disconnected", session=witness.session)
            witness.operator.close()
            with daemon.operator() as operator:
                wait_until(lambda: operator.call("stats")["sessions"] == 0, "all have left")
        print("processor time of few and of many:", costs)
        # Ticks of 10 ms are a coarse measure of little CPU time.
        assert costs[1] < 10 * max(costs[0], 0.02), costs
