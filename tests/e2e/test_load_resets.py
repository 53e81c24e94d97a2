"""Thousands of connections that end the hard way, in every state in which one can."""

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, scaled, wait_until

BATCH = 50


def connect_some(daemon):
    return [daemon.client(receive_buffer=4096) for _ in range(BATCH)]


def before_a_byte(daemon, operator, clients):
    pass


def after_bytes(daemon, operator, clients):
    for client in clients:
        client.send(b"undecided")


def as_original(daemon, operator, clients):
    for client in clients:
        client.send(b"This is from Client")
    for _ in clients:
        operator.wait_event("message", text="This is from Client")


def in_mid_line(daemon, operator, clients):
    for client in clients:
        client.send(b"a line\nand half of")
    for _ in clients:
        operator.wait_event("message", text="a line")


def in_mid_negotiation(daemon, operator, clients):
    for client in clients:
        client.send(b"\xff\xfd\x01\xff\xfa\x18")
    for client in clients:
        client.expect(b"\xff\xfc\x01")


def half_closed(daemon, operator, clients):
    for client in clients:
        client.send(b"question\n")
        client.close_sending()
    for _ in clients:
        operator.wait_event("message", text="question")


def with_queued_output(daemon, operator, clients):
    for client in clients:
        client.send(b"give me\n")
    for _ in clients:
        operator.wait_event("message", text="give me")
    operator.call("send", to="all", text="x" * 200_000)


def with_unread_input(daemon, operator, clients):
    for client in clients:
        client.send(b"bye\n" + b"unread " * 2000)


def while_it_parts(daemon, operator, clients):
    as_original(daemon, operator, clients)
    for session in operator.call("sessions"):
        operator.call("bye", session=session["session"])


STATES = [
    before_a_byte,
    after_bytes,
    as_original,
    in_mid_line,
    in_mid_negotiation,
    half_closed,
    with_queued_output,
    with_unread_input,
    while_it_parts,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_connections_that_reset_leave_nothing_behind(state):
    """Over all states these are 10,000."""
    rounds = max(1, scaled(10_000 // len(STATES) // BATCH + 1))
    limits = FOR_ONE_ORIGIN
    with Daemon({"limits": limits, "session": {"settle": "5ms"}}) as daemon:
        operator = daemon.operator()
        before = daemon.fds()
        for number in range(rounds):
            clients = connect_some(daemon)
            state(daemon, operator, clients)
            for client in clients:
                client.reset()
            # The next round begins before this one is forgotten, and now and then not.
            if number % 4 == 3:
                wait_until(lambda: operator.call("stats")["sessions"] == 0, "all are gone")
        wait_until(lambda: operator.call("stats")["sessions"] == 0, "all are gone")
        wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
        stats = operator.call("stats")
        # A connection that was reset before it was accepted may never have been there.
        assert stats["accepted"] <= rounds * BATCH
        assert stats["held"] == 0 and stats["queued_bytes"] == 0
        ended = len(operator.events_of("disconnected"))
        assert ended == len(operator.events_of("connected")) == stats["accepted"]
        with daemon.client() as client:
            client.send(b"all is well\n")
            operator.wait_event("message", text="all is well")
